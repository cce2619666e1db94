import type { DeadLetterReason } from '../../events.js';
import type { ChainPosition, DeadLetterSummary } from '../letters/dead-letter.js';

/*
 * Dead letters that failed in the same way are one group. What is the same is a fingerprint: the class of the error, its message without
 * what differs from message to message, the place in the code, and the handler.
 */

/** What the dead letters of a group have in common. */
export interface Fingerprint {
  /** Twelve hexadecimal digits, the same in every version that calls the same failures the same. */
  readonly id: string;
  /** Class of the error, as `TypeError`; the reason where nothing was thrown. */
  readonly kind: string;
  /** Message with `‹number›`, `‹id›` and the like in place of what differs. */
  readonly message: string;
  /** Uppermost line of the stack in the application's own code, without line numbers; undefined if the letter has no stack. */
  readonly place: string | undefined;
  /** Name of the handler; its routing key where that is not known. */
  readonly handler: string;
  /** Queue in which they failed. */
  readonly queue: string;
}

/** A dead letter as the index keeps it: without body and headers. */
export interface IndexedLetter extends DeadLetterSummary {
  /** Id of its {@link Fingerprint}. */
  readonly group: string;
  readonly handler: string | undefined;
  readonly messageId: string | undefined;
  readonly correlationId: string | undefined;
  /** Id of its trace, from `traceparent`. */
  readonly traceId: string | undefined;
  readonly chainId: string | undefined;
  /** Where in its chain it stands, with ten of the later steps at most; undefined outside a chain. */
  readonly chain?: ChainPosition | undefined;
  readonly batchId: string | undefined;
  /** Version of the application whose worker gave it up; undefined if it has none. */
  readonly version: string | undefined;
  /** Id of the replay that it came back from; undefined if it was none. */
  readonly replay: string | undefined;
}

/** What operators may say of a group. */
export const SAID_STATES = ['open', 'seen', 'resolved'] as const;

export type SaidState = (typeof SAID_STATES)[number];

/**
 * What an operator has said of a group. `open` is the state of one that nobody has touched; `seen`: somebody is at it; `resolved`: it is
 * mended, and a later failure makes it `back`.
 */
export type GroupState = SaidState | 'back';

/** What an operator says of a group. */
export interface GroupMark {
  readonly state?: SaidState;
  readonly note?: string;
}

/** What is kept of a group beside its letters. */
export interface GroupRecord {
  readonly state: GroupState;
  readonly note: string | undefined;
  /** Who has said so, and when in milliseconds since 1970. */
  readonly by: string | undefined;
  readonly at: number | undefined;
}

/** The dead letters that failed in the same way. */
export interface FailureGroup extends Fingerprint, GroupRecord {
  readonly count: number;
  readonly reasons: readonly DeadLetterReason[];
  /** Time of failure of the first and the last; undefined if none tells. */
  readonly firstAt: Date | undefined;
  readonly lastAt: Date | undefined;
  /** Letters by time of failure, in equal parts of the time that {@link FailureIndex.groups} was asked for; the last part ends now. */
  readonly sparkline: readonly number[];
  /** Version of the workers that the first of them failed in. */
  readonly since: string | undefined;
  /** Dead-letter queues that hold them. */
  readonly deadQueues: readonly string[];
}

/** How much of the dead letters the index has, and how old that is. */
export interface IndexState {
  /** `empty` before the first pass; `stale` if the queues hold another number of letters than the index, or one of them was not read yet. */
  readonly state: 'empty' | 'reading' | 'current' | 'stale';
  /** End of the last complete pass, in milliseconds since 1970. */
  readonly readAt: number | undefined;
  /** Letters in the index. */
  readonly letters: number;
  /** Letters of the pass that is under way, and how many the queues held at its beginning. */
  readonly progress: { readonly read: number; readonly of: number } | undefined;
  /** Letters that are in the queues and not in the index, because that is full. */
  readonly leftOut: number;
  /** Why the last pass failed; undefined if it did not. */
  readonly problem: string | undefined;
  /** Why states and notes of groups are those that were known last, or none; undefined if they are known. */
  readonly notesProblem?: string | undefined;
}

/** Which letters of the index are wanted, and which part of them. */
export interface LettersAsked {
  readonly group?: string;
  readonly queue?: string;
  readonly reason?: DeadLetterReason;
  /** Only those that belong to some chain, or to some batch. */
  readonly in?: 'chain' | 'batch';
  /** Text that occurs in id, message id, correlation id, trace, routing key, error, chain or batch, in any case. */
  readonly text?: string;
  /** @default 0 */
  readonly offset?: number;
  /** @default 50, at most 500 */
  readonly limit?: number;
}

export interface LettersFound {
  /** Of all that match. */
  readonly count: number;
  /** The latest first. */
  readonly letters: readonly IndexedLetter[];
}

/**
 * An index of the dead letters of some queues, so that looking at them doesn't read them each time. It is made in one pass, in which the
 * bodies are dropped; later letters are heard of as they are dead-lettered.
 */
export interface FailureIndex {
  readonly state: IndexState;
  /** Reads the queues if the index is empty or stale, and nobody does so already. Never rejects: see {@link IndexState.problem}. */
  refresh(options?: { readonly force?: boolean }): Promise<void>;
  /**
   * Groups, the one that failed last first.
   *
   * @param spanMs time that the sparklines are of @default a day
   */
  groups(options?: { readonly spanMs?: number; readonly parts?: number }): Promise<readonly FailureGroup[]>;
  group(id: string): Promise<FailureGroup | undefined>;
  letters(asked?: LettersAsked): LettersFound;
  /** Copies of one letter in a queue, the latest failure first. */
  copies(deadQueue: string, id: string): readonly IndexedLetter[];
  /** Called by whoever has removed letters from a queue: one id for each letter. */
  left(deadQueue: string, ids: Iterable<string>): void;
  /** Notes what an operator says of a group, for all operators. @throws OptionsError, ConnectError, ControlError */
  mark(id: string, mark: GroupMark, by: string): Promise<void>;
}
