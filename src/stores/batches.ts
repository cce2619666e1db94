import type { BatchCallback } from '../message/batch.js';

/** What became of a job: `done` (or discarded by its handler), given up, or not run since its batch was cancelled. */
export type JobResult = 'done' | 'failed' | 'skipped';

/** A batch as it is made. */
export interface NewBatch {
  readonly id: string;
  readonly name: string;
  /** The service that dispatches it. */
  readonly service: string;
  /** Whether it goes on, and ends well, though jobs fail. */
  readonly allowsFailures: boolean;
  /** Its callbacks, as whoever sends them writes them. */
  readonly callbacks: string;
  /** How long it is remembered after its last change. */
  readonly keepMs: number;
}

/** How far a batch is. */
export interface BatchCounts {
  /** Numbers that have been given to jobs so far. */
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  /** The highest percentage that was reached, 0 until all jobs are sent. */
  readonly progress: number;
}

/** A batch as it is known. */
export interface BatchRecord extends BatchCounts {
  readonly id: string;
  readonly name: string;
  readonly allowsFailures: boolean;
  /** How many of its numbers were reserved by no job. */
  readonly initial: number;
  /** Whether its dispatch is over. A batch that isn't sealed does not end. */
  readonly isSealed: boolean;
  readonly isCancelled: boolean;
  /** Wall-clock milliseconds. */
  readonly createdAt: number;
  /** When all its jobs had ended for the first time. */
  readonly finishedAt: number | undefined;
  readonly verdict: 'then' | 'catch' | undefined;
  /** Decided, and not yet marked as sent. */
  readonly unsent: readonly BatchCallback[];
}

/** What a change has led to. */
export interface BatchChange extends BatchCounts {
  /**
   * What the caller has to send, in this order, and then to mark by {@link BatchStore.sent}: what was decided by the same
   * number, whether in this call or in an earlier one, and what was decided half a minute ago by whomever. A call
   * without a number gets all.
   */
  readonly due: readonly BatchCallback[];
  /** This call has cancelled it. */
  readonly hasCancelled: boolean;
  /** This call has ended it. */
  readonly hasFinished: boolean;
  /** This call has raised the progress. */
  readonly hasProgressed: boolean;
  /**
   * Numbers that were reserved by the job which has ended, whose messages are not known to be sent, and which have not ended
   * themselves. Nobody else will tell of them: the caller does, or the batch would wait for them for ever.
   */
  readonly unsent: readonly number[];
}

/** Numbers that were given to jobs. */
export interface ReservedNumbers {
  readonly first: number;
  readonly count: number;
  /** Those of them whose messages are not known to be sent: all at first. */
  readonly unsent: readonly number[];
}

/** Why a batch takes no more jobs: `closed` to its own jobs if all have ended, and to whoever dispatches it if it is sealed. */
export type Closed = 'cancelled' | 'closed';

/**
 * Batches, and which of their jobs have ended. A job is a number of its batch, which ends once, however often that is told.
 * A batch that is cancelled, or whose jobs have all ended, is decided on at that moment, once: by the call that brings it
 * about, for all who share the store.
 *
 * All but `list` and `overdue` answer with undefined for a batch that is not there, and throw what the store's client throws if it can't be
 * asked.
 */
export interface BatchStore {
  /** Makes it, if it is not there. */
  open(batch: NewBatch): Promise<void>;

  /**
   * Gives numbers to so many jobs more; under a key that was given numbers before, the same as then.
   *
   * @param by the job that adds them: told of its end, the store answers with those that are not known to be sent
   * @returns why it takes no more, unless the key is known
   */
  reserve(id: string, key: string, count: number, by?: number): Promise<ReservedNumbers | Closed | undefined>;

  /** The messages of the numbers under this key are sent, but for these. What was said to be sent before stays so. */
  dispatched(id: string, key: string, unsent?: readonly number[]): Promise<void>;

  /** All jobs that it begins with have their numbers. */
  seal(id: string): Promise<BatchChange | undefined>;

  /**
   * Whether a job is to be run. One that has failed is: it is replayed.
   *
   * @returns `ended` if it is done, or was skipped; else `skip` if its batch is cancelled
   */
  begin(id: string, number: number): Promise<'go' | 'skip' | 'ended' | undefined>;

  /**
   * A job has ended. Said again it changes nothing, but that one that has failed may yet be done. Undefined, too, for a number
   * that was not given.
   */
  settle(id: string, number: number, result: JobResult): Promise<BatchChange | undefined>;

  /** What has not begun is not to begin any more. Changes nothing if it is cancelled or finished. */
  cancel(id: string): Promise<BatchChange | undefined>;

  /** A callback is sent, and not due any more. */
  sent(id: string, callback: BatchCallback): Promise<void>;

  /** The callbacks as they were given. */
  callbacks(id: string): Promise<string | undefined>;

  /**
   * Batches of a service of which something was decided half a minute ago that is not marked as sent, in no order: whoever was to
   * send it has died, or can't. Where very many have not ended, some of these may be found by a later call only.
   */
  overdue(service: string, atMost: number): Promise<string[]>;

  find(id: string): Promise<BatchRecord | undefined>;

  /** The newest, so many at most. */
  list(atMost: number): Promise<BatchRecord[]>;
}
