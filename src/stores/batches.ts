import type { BatchCounts, StoredNotification } from '../message/batch.js';

/**
 * Result of a job: `done` (handled, or discarded by its handler), `failed` (given up), or `skipped` (not run,
 * because its batch was cancelled).
 */
export type JobResult = 'done' | 'failed' | 'skipped';

/** A new batch. */
export interface NewBatch {
  readonly id: string;
  readonly name: string;
  /** Service that dispatches the batch. */
  readonly service: string;
  /** True if failed jobs do not cancel the batch. */
  readonly allowsFailures: boolean;
  /** Notifications, in the sender's encoding. */
  readonly notifications: string;
  /** Time for which the batch is remembered after its last change. */
  readonly keepMs: number;
}

/** Counts of a batch's jobs in a store; `total` is the number of job numbers that were reserved. */
export type StoredCounts = Omit<BatchCounts, 'pending'>;

/** A batch as a store has it. */
export interface StoredBatch extends StoredCounts {
  readonly id: string;
  readonly name: string;
  readonly allowsFailures: boolean;
  /** Numbers that were reserved by the dispatch, not by jobs. */
  readonly initial: number;
  /** True when the dispatch is over. A batch that isn't sealed does not end. */
  readonly isSealed: boolean;
  readonly isCancelled: boolean;
  /** Wall-clock milliseconds. */
  readonly createdAt: number;
  /** Wall-clock milliseconds at which all jobs had ended first. */
  readonly finishedAt: number | undefined;
  readonly verdict: 'then' | 'catch' | undefined;
  /** Notifications that were decided and are not marked as sent. */
  readonly unsent: readonly StoredNotification[];
}

/** Result of a change. */
export interface BatchChange extends StoredCounts {
  /**
   * Notifications that the caller has to send, in this order, and then to mark by {@link BatchStore.sent}: those
   * decided by the same job, in this call or an earlier one, and those decided by anyone more than half a
   * minute ago. A call without a job number gets all.
   */
  readonly due: readonly StoredNotification[];
  /** True if this call has cancelled the batch. */
  readonly hasCancelled: boolean;
  /** True if this call has ended the batch. */
  readonly hasFinished: boolean;
  /** True if this call has raised the progress. */
  readonly hasProgressed: boolean;
  /**
   * Numbers that the ended job reserved, whose messages are not known to be sent, and which have not ended
   * themselves. The caller must report their end: nobody else does, and the batch would wait for them without
   * end.
   */
  readonly unsent: readonly number[];
}

/** Numbers that were given to jobs. */
export interface ReservedNumbers {
  readonly first: number;
  readonly count: number;
  /** Those whose messages are not known to be sent; at first all. */
  readonly unsent: readonly number[];
}

/**
 * Reason why a batch takes no more jobs. `closed`: for its own jobs, all jobs have ended; for the dispatch, the
 * batch is sealed.
 */
export type Closed = 'cancelled' | 'closed';

/**
 * Store of batches and of their ended jobs. A job is a number within its batch, and ends once, however often
 * its end is reported. The result of a batch is decided once, when it is cancelled or all its jobs have ended:
 * by the call that causes it, for all processes that share the store.
 *
 * All methods but `list` and `overdue` return undefined for an unknown batch. They throw the error of the
 * store's client if the store can't be reached.
 */
export interface BatchStore {
  /** Creates the batch, unless it exists. */
  open(batch: NewBatch): Promise<void>;

  /**
   * Reserves numbers for `count` further jobs. A key that has reserved before gets the same numbers again.
   *
   * @param by number of the job that adds them; when it ends, the store returns those that are not known to be
   * sent
   * @returns the reason why the batch takes no more jobs, unless the key is known
   */
  reserve(id: string, key: string, count: number, by?: number): Promise<ReservedNumbers | Closed | undefined>;

  /** Marks the messages of the key's numbers as sent, except `unsent`. Numbers that were marked before stay so. */
  dispatched(id: string, key: string, unsent?: readonly number[]): Promise<void>;

  /** Marks that all initial jobs have their numbers. */
  seal(id: string): Promise<BatchChange | undefined>;

  /**
   * Decides whether a job is to be run. A failed job is run again: it was replayed.
   *
   * @returns `ended` if it is done or was skipped; else `skip` if its batch is cancelled
   */
  begin(id: string, number: number): Promise<'go' | 'skip' | 'ended' | undefined>;

  /**
   * Records the end of a job. A repeated call changes nothing, except that a failed job may become done.
   * Undefined also for a number that was not reserved.
   */
  settle(id: string, number: number, result: JobResult): Promise<BatchChange | undefined>;

  /** Cancels the batch: jobs that have not begun are skipped. No effect on a cancelled or finished batch. */
  cancel(id: string): Promise<BatchChange | undefined>;

  /** Marks a notification as sent. */
  sent(id: string, notification: StoredNotification): Promise<void>;

  /** Notifications of the batch, as they were given to {@link open}. */
  notifications(id: string): Promise<string | undefined>;

  /**
   * Ids of a service's batches with a notification that was decided more than half a minute ago and is not marked
   * as sent, in no order: its sender has died, or can't send it. If very many batches have not ended, a call
   * may find only some.
   */
  overdue(service: string, atMost: number): Promise<string[]>;

  find(id: string): Promise<StoredBatch | undefined>;

  /** Newest batches, at most `atMost`. */
  list(atMost: number): Promise<StoredBatch[]>;
}
