import type { MessageContext } from '../message/context.js';
import type { Sender } from '../message/publisher.js';
import type { TransactionClient } from '../message/transaction-client.js';
import type { ChainState } from '../message/wire/chain-header.js';
import type { OnceStore } from '../stores/once.js';
import type { PlannedHandler } from './handler.js';
import type { Outcome } from './outcome.js';
import type { Work } from './work.js';

/** Attempt at a message, as its stages see it: the context that its handler gets, and more. */
export interface Attempt extends MessageContext {
  readonly work: Work;
  readonly handler: PlannedHandler;
  /** Payload as the handler gets it. */
  readonly payload?: unknown;
  /** Outcome that the handler asked for by `release`, `fail` or `discard`: the first of them. */
  readonly recorded: Outcome | undefined;
  /** Reason for which the signal fired, if it has. */
  readonly abortReason: Error | undefined;
  /** Phase of the attempt: `failing` while `failed()` runs. Only in `running` can the outcome be decided. */
  phase: 'running' | 'failing' | 'over';
  /** Transaction that the attempt runs in, if a stage has begun one. */
  transacted: AttemptTransaction | undefined;
  /** What it has published so far, if that leaves only when it has succeeded. */
  kept: AttemptPublishes | undefined;
  /** Locks that it has asked for; undefined if it has not. */
  readonly locks: AttemptLocks | undefined;
  /** What it has done so far, if its handler is resumable: set by a stage before its code begins. */
  resumed: AttemptState | undefined;
  /** What a handler with a rate limit says about it; undefined without one. */
  pace: AttemptPace | undefined;
  /** Resolves when its code returns, if that was left running when its grace was over; undefined else. */
  leftRunning: Promise<void> | undefined;
  /** Chain that the message is a step of, as the handler sees and changes it. */
  readonly step: AttemptStep | undefined;
  /** Fires the signal, now or when it is first read. */
  abort(reason: Error): void;
  /** Attempt for `failed()`, which is outside the transaction, and whose messages are not kept. */
  afterwards(): Attempt;
  /** @throws AttemptOverError if the attempt is over */
  mustNotBeOver(call: string): void;
}

/** Transaction of one attempt: what is published and recorded in it is so when it is committed. */
export interface AttemptTransaction {
  readonly sender: Sender;
  readonly once: OnceStore;
  readonly client: TransactionClient;
  readonly isOpen: boolean;
  readonly isCommitted: boolean;
  /** Outcome of the attempt if it is committed, or if nobody knows whether it is; undefined if it is not. */
  readonly outcome: Outcome | undefined;
  /** Commits what the handler's code has done, unless it wants the message back or given up. @throws errors of the store */
  conclude(): Promise<void>;
  /** Takes back what is not committed; nothing if it is over. */
  rollBack(): Promise<void>;
  /** Gives the transaction up while the handler's code may still run. */
  abandon(): void;
}

/** Locks of one attempt. */
export interface AttemptLocks {
  /** Gives all that are held back, for when the attempt has ended. Never rejects. */
  giveBack(): Promise<void>;
}

/** Publishes of one attempt, kept until it has succeeded. */
export interface AttemptPublishes {
  readonly sender: Sender;
  /** False in a part of the attempt that outlives it: see {@link runPart}. */
  readonly isKeeping: boolean;
  /** True if it has kept the message with this id. */
  has(messageId: string | undefined): boolean;
  /** Runs the handler's code, in which what an injected publisher publishes is kept, too; the calls that it makes are waited for. */
  run(code: () => unknown): unknown;
  /** Runs a part whose result is recorded whatever becomes of the attempt: what it publishes leaves at once, before the record. */
  runPart<Result>(part: () => Result): Result;
}

/** State of a resumable handler, during its attempt. */
export interface AttemptState {
  /** The last state that was kept, by this attempt or one before; undefined if none was. */
  readonly value: unknown;
  /**
   * Keeps a state in place of the one before. States are stored in the order of the calls, and as they were at the call.
   *
   * @param onFailed called if it can't be stored, before the promise rejects
   */
  save(state: unknown, call: 'checkpoint' | 'yield', onFailed?: () => void): Promise<void>;
  /** Resolves when no state is on its way to the store. @throws the error of one that could not be stored */
  settled(): Promise<void>;
}

/** Rate limit that the attempt has taken a permit of. */
export interface AttemptPace {
  /** Time for which everybody has to wait that takes permits there, from now on; 0 if nobody has. */
  limitedMs: number;
}

/** Step of a chain during its attempt. */
export interface AttemptStep extends NonNullable<MessageContext['step']> {
  /** State of the chain after this step; undefined if nothing follows. */
  readonly next: ChainState | undefined;
  /** Resolves when the steps that the handler has added are complete. @throws errors of those steps */
  checked(): Promise<void>;
}

/** Time for a store's own answers, beside the handler's. */
const STORE_RESERVE_MS = 5_000;

/** Milliseconds for which a store holds what it holds for one attempt: until that has ended, whatever its code does. */
export function longestAttemptMs({ timeoutMs }: Pick<PlannedHandler, 'timeoutMs'>, graceMs: number): number {
  return timeoutMs + graceMs + STORE_RESERVE_MS;
}
