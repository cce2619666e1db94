import type { Duration } from '../util/duration.js';
import type { Published } from './published.js';

/*
 * A job: a message that was sent with `track` or `name`, and has a record in the store. The record says where the job is, and what is
 * wanted of it; the message itself is the broker's, as any other. A message without a record is handled like one that isn't tracked.
 */

/**
 * Where a job is.
 *
 * - `waiting`: in a queue, for the first time or after a failed attempt
 * - `delayed`: not due yet
 * - `running`: begun; also while its process is gone, until the message is delivered again
 * - `done`: handled
 * - `dead-lettered`: given up, in the dead letters; it goes on when it is replayed
 * - `discarded`: dropped by its handler, or by its handler's policy
 * - `cancelled`: taken back; its message is dropped when it arrives
 */
export type JobState =
  | 'waiting'
  | 'delayed'
  | 'running'
  | 'done'
  | 'dead-lettered'
  | 'discarded'
  | 'cancelled';

/** States of what has ended. */
export const JOB_ENDS = ['done', 'dead-lettered', 'discarded', 'cancelled'] as const satisfies JobState[];

/** All states, in the order of a job's life. */
export const JOB_STATES: readonly JobState[] = ['waiting', 'delayed', 'running', ...JOB_ENDS];

/** Time in milliseconds for which a record is kept whose job never ends, after the job was due: its message may be lost, or purged. */
export const UNENDED_KEPT_MS = 30 * 24 * 3_600_000;

/** How far a job has come, by its handler's word. */
export interface JobProgress {
  /** 0 to 100. */
  readonly percent: number;
  readonly note: string | undefined;
  readonly at: Date;
}

/** The process that runs a job, and since when. */
export interface JobRun {
  readonly host: string;
  readonly pid: number;
  readonly since: Date;
}

/** What is known of a job. */
export interface JobStatus {
  /** The message's id. */
  readonly id: string;
  readonly name: string | undefined;
  readonly tags: readonly string[];
  readonly state: JobState;
  /** Service that has sent it. */
  readonly service: string;
  readonly routingKey: string;
  /** Queue and handler that had it last; undefined before the first attempt. */
  readonly queue: string | undefined;
  readonly handler: string | undefined;
  /** Number of the attempt that runs or ran last; 0 before the first. */
  readonly attempt: number;
  readonly sentAt: Date;
  /** When it is due: the delay of its send, or the pause after a failed attempt. Undefined if it was due at once. */
  readonly dueAt: Date | undefined;
  /** When its first attempt began. */
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  /** Set while it is `running`. */
  readonly run: JobRun | undefined;
  readonly progress: JobProgress | undefined;
  /** What its handler has returned, as JSON has it; undefined before its end, and if it isn't kept (see {@link resultProblem}). */
  readonly result: unknown;
  /** Why the result of a job that is done isn't kept: it is too large, or no JSON. */
  readonly resultProblem: string | undefined;
  /** Error of the last attempt that has failed. */
  readonly error: string | undefined;
  /** Why it was dead-lettered, and the queue of its dead letter. */
  readonly reason: string | undefined;
  readonly deadQueue: string | undefined;
  /** True if it is cancelled while it runs: it doesn't come back. */
  readonly isCancelling: boolean;
}

/**
 * What became of a call to cancel a job: `cancelled`, it won't run; `running`, it goes on, and doesn't come back if it fails; `ended`,
 * it had ended before.
 */
export type CancelAnswer = 'cancelled' | 'running' | 'ended';

/** Options of cancelling a job. */
export interface CancelOptions {
  /** Fires `context.signal` of the job if it runs, wherever that is. @default false: what runs goes on */
  abort?: boolean;
}

/** Options of waiting for a job's result. */
export interface ResultOptions {
  /** Maximum time. @default no limit */
  timeout?: Duration;
}

/** A job that was sent, or found. */
export interface Job {
  /** The message's id. */
  readonly id: string;
  /** What is known of it now; undefined if the store doesn't know it, or no longer. @throws the errors of the store's client */
  status(): Promise<JobStatus | undefined>;
  /**
   * Resolves with what the handler has returned, as JSON has it, when the job is done.
   *
   * @throws JobFailedError if it was dead-lettered, discarded or cancelled, or its result isn't kept
   * @throws JobTimeoutError at the timeout: the job itself goes on
   * @throws JobUnknownError if the store doesn't know it, or no longer
   * @throws StoppedError if the bus stops
   */
  result<Result = unknown>(options?: ResultOptions): Promise<Result>;
  /** Takes it back. Undefined if the store doesn't know it. @throws the errors of the store's client */
  cancel(options?: CancelOptions): Promise<CancelAnswer | undefined>;
  /**
   * What is known of it, now and after each change that is seen, until it has ended. Changes that follow each other within a second may
   * be seen as one.
   */
  events(): AsyncIterable<JobStatus>;
}

/** A job that was just sent. */
export interface SentJob extends Job, Published {}

/** Which jobs are searched. */
export interface JobSearch {
  /** Only jobs with this tag. @default all */
  tag?: string;
  /** Only jobs in this state. @default all */
  state?: JobState;
  /** Maximum number of jobs, 1 to 1,000: the newest. @default 100 */
  atMost?: number;
}
