import type { CancelAnswer, JobSearch, JobState } from '../message/job.js';

/** State as it is stored: what is `delayed` waits until `dueAt`. */
export type StoredJobState = Exclude<JobState, 'delayed'>;

/** End of a job. */
export type JobEndState = Extract<JobState, 'done' | 'dead-lettered' | 'discarded' | 'cancelled'>;

/** A job that is about to be sent. */
export interface NewJob {
  /** Id of the message. */
  readonly id: string;
  readonly name: string | undefined;
  readonly tags: readonly string[];
  /** Service that sends it. */
  readonly service: string;
  readonly routingKey: string;
  /** Wall-clock milliseconds, as all moments here. */
  readonly sentAt: number;
  readonly dueAt: number | undefined;
  /** Milliseconds for which the record is kept after the job's end. */
  readonly keepMs: number;
  /** The message, in the sender's encoding, for sending it again with another delay; undefined if that isn't wanted. */
  readonly message: string | undefined;
}

/** An attempt that is about to begin. */
export interface JobBegin {
  readonly id: string;
  /** Number of the sending that the message is of: 1, and one more with each {@link JobStore.reserve}. */
  readonly version: number;
  readonly queue: string;
  readonly handler: string | undefined;
  readonly attempt: number;
  /** Names this run among those of the job. */
  readonly run: string;
  readonly host: string;
  readonly pid: number;
  readonly at: number;
}

/**
 * Answer to who is about to begin: `go`; `cancelled`; `superseded`, another sending counts; `ended`, it is done or was discarded before.
 * Undefined for a job that isn't known: it is run.
 */
export type BeginAnswer = 'go' | 'cancelled' | 'superseded' | 'ended' | undefined;

/** An attempt that has failed, or was released, and comes back. */
export interface JobPause {
  readonly id: string;
  readonly run: string;
  readonly dueAt: number;
  readonly error: string | undefined;
}

export interface JobProgressNote {
  readonly id: string;
  readonly run: string;
  readonly percent: number;
  readonly note: string | undefined;
  readonly at: number;
}

/** End of a job. */
export interface JobEnd {
  readonly id: string;
  /** Number of the sending that has ended it. */
  readonly version: number;
  readonly state: JobEndState;
  readonly queue: string;
  readonly handler: string | undefined;
  readonly attempt: number;
  readonly at: number;
  /** What the handler has returned, as JSON text or as its sender's encoding of that. */
  readonly result?: string | undefined;
  readonly resultProblem?: string | undefined;
  readonly error?: string | undefined;
  readonly reason?: string | undefined;
  readonly deadQueue?: string | undefined;
}

/** A job as a store has it. */
export interface StoredJob {
  readonly id: string;
  readonly name: string | undefined;
  readonly tags: readonly string[];
  readonly state: StoredJobState;
  readonly service: string;
  readonly routingKey: string;
  readonly queue: string | undefined;
  readonly handler: string | undefined;
  readonly attempt: number;
  readonly version: number;
  readonly sentAt: number;
  readonly dueAt: number | undefined;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly run: { readonly host: string; readonly pid: number; readonly since: number } | undefined;
  readonly progress:
    | { readonly percent: number; readonly note: string | undefined; readonly at: number }
    | undefined;
  readonly result: string | undefined;
  readonly resultProblem: string | undefined;
  readonly error: string | undefined;
  readonly reason: string | undefined;
  readonly deadQueue: string | undefined;
  readonly isCancelling: boolean;
}

/** `added`; `known` if its id was known before; or the id of the other job that has its name and has not ended: it isn't added. */
export type AddAnswer = 'added' | 'known' | { readonly holder: string };

/** A number for another sending of a job, and the message to send; or why there is none. */
export type ReserveAnswer =
  | { readonly version: number; readonly message: string }
  | 'running'
  | 'ended'
  | 'no-message';

/** Answer to who has sent a job again: `moved`; or why that sending doesn't count. */
export type MoveAnswer = 'moved' | 'superseded' | 'running' | 'ended';

/**
 * Store of the records of tracked and named jobs, shared by all processes. A record is kept until some time after the job's end. A
 * record without a message does no harm, and a message without a record is run.
 *
 * A job is sent anew when it is moved: its newest sending counts, the others are `superseded` on arrival. A job of which two queues take a
 * copy is that of the queue that ends it first.
 *
 * What many ask within a moment goes together: methods with lists do all of it in one way to the store, and answer in the same order. All
 * methods throw the error of the store's client if the store can't be reached.
 */
export interface JobStore {
  /** Adds jobs. One whose id is known stays as it is. */
  add(jobs: readonly NewJob[]): Promise<AddAnswer[]>;

  /** Forgets a job that could not be sent, unless it has begun or ended: for the send that has added it, and for no other. */
  remove(id: string): Promise<void>;

  /**
   * Decides whether attempts may begin, and marks those as running that may. A sending with a higher number than the one that counts takes
   * its place while the job waits, unless its move was refused: whoever has sent it has died before it could say so.
   */
  begin(begins: readonly JobBegin[]): Promise<BeginAnswer[]>;

  /** Marks runs as over whose jobs come back. Of a job that another run has meanwhile nothing is changed. */
  pause(pauses: readonly JobPause[]): Promise<void>;

  /** Notes how far runs have come. Of a job that another run has, or that has ended, nothing is changed. */
  progress(notes: readonly JobProgressNote[]): Promise<void>;

  /**
   * Records ends. A repeated end changes nothing, except that a dead-lettered job may end otherwise: it was replayed. The end of a
   * sending that doesn't count changes nothing either; as with {@link begin}, one with a higher number takes its place while the job waits.
   * The message is forgotten of what can't be sent again.
   */
  end(ends: readonly JobEnd[]): Promise<void>;

  /** Takes a job back if it waits; if it runs, it is marked, and doesn't begin again. Undefined if it isn't known. */
  cancel(id: string, at: number): Promise<CancelAnswer | undefined>;

  /**
   * Reserves a number for another sending of a job that waits, and keeps its record until that may have come. Undefined if it isn't
   * known.
   */
  reserve(id: string, dueAt: number): Promise<ReserveAnswer | undefined>;

  /** Makes a sending count that is stored by the broker; one that is refused will not begin. Undefined if the job isn't known. */
  move(id: string, version: number, dueAt: number): Promise<MoveAnswer | undefined>;

  /** Jobs by their ids. */
  find(ids: readonly string[]): Promise<(StoredJob | undefined)[]>;

  /** Id of the job that has this name, or had it last. */
  named(name: string): Promise<string | undefined>;

  /** The newest jobs, by the moment at which they were sent. @param now by which is told what is delayed */
  list(search: JobSearch & { readonly atMost: number }, now: number): Promise<StoredJob[]>;

  /** Named jobs that have not ended, those that are due first. */
  scheduled(atMost: number): Promise<StoredJob[]>;
}
