import type { Duration } from '../../util/duration.js';
import type { Rate } from '../acting/pace.js';
import type { ReplayTarget } from '../acting/replay.js';

/*
 * What operators do with dead letters, as objects: who began it, how far it is, and how to stop it. The list is kept in the broker, so
 * that all operators see the same, and one that its process has left is taken on by another.
 */

/** `canary` is a retry that begins with one letter, goes on with ten, and then with the rest at a rate, as long as they succeed. */
export type OperationKind = 'retry' | 'canary' | 'forget' | 'restore';

/** `abandoned`: its process has said nothing for a while, and none has taken it on yet. */
export type OperationState = 'running' | 'stopping' | 'abandoned' | 'done' | 'stopped' | 'failed';

/**
 * Letters that an operation is about: those of one group, or single ones, a thousand ids at most. Only those that were dead letters
 * when it began.
 */
export type OperationSelection =
  | { readonly group: string }
  | { readonly ids: readonly string[]; readonly deadQueue: string };

export interface OperationRequest {
  readonly kind: OperationKind;
  readonly selection: OperationSelection;
  /** @default 'queue' */
  readonly to?: ReplayTarget;
  /** Of a canary, the rate of the rest. @default 50/s for a canary, else as fast as the broker confirms */
  readonly rate?: Rate;
  /**
   * Of a canary, the time within which a worker has to report on a replay, or the canary stops. More than the timeout of its handler.
   * @default '90s'
   */
  readonly reportWithin?: Duration;
}

/** How far a canary is. */
export interface CanaryProgress {
  readonly stage: 'one' | 'ten' | 'rest';
  /** Replays that workers have reported as handled, as failed in the same way, and as failed in another, or discarded. */
  readonly handled: number;
  readonly cameBack: number;
  readonly failedOtherwise: number;
  /** Replays that nobody has reported on yet. */
  readonly unheard: number;
}

export interface Operation {
  /** Also the replay id that its messages carry. */
  readonly id: string;
  readonly kind: OperationKind;
  readonly selection: OperationSelection;
  /** Dead-letter queues that it works on: no other operation works on them meanwhile. */
  readonly deadQueues: readonly string[];
  readonly to: ReplayTarget;
  readonly rate: Rate | undefined;
  /** Who has begun it. */
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly state: OperationState;
  /** Why it has stopped or failed, as a sentence. */
  readonly why: string | undefined;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly canary: CanaryProgress | undefined;
}

/** The operations of an application: of this process, and of all others. */
export interface Operations {
  /** The latest first; ended ones for a week, a hundred at most. @throws ConnectError */
  list(): Promise<readonly Operation[]>;
  /**
   * Begins an operation, which goes on in this process.
   *
   * @throws OperationConflictError if another works on one of its queues
   * @throws OptionsError, ConnectError
   */
  begin(request: OperationRequest, by: string): Promise<Operation>;
  /** Asks for an operation to end, wherever it runs: letters under way are finished, the others stay. @throws OptionsError if there is none */
  stop(id: string, by: string): Promise<void>;
  /** Resolves with the operation once it has ended. Follows those of this process alone. */
  ended(id: string): Promise<Operation>;
  /** Stops what runs in this process without ending it: another process takes it on. */
  close(): Promise<void>;
}
