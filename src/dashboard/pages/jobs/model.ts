import type { JobState } from '../../../message/job.js';

export interface JobRow {
  readonly id: string;
  readonly name: string | undefined;
  readonly tags: readonly string[];
  readonly state: JobState;
  /** True if it is cancelled while it runs. */
  readonly isCancelling: boolean;
  /** By its handler's word, 0 to 100. */
  readonly percent: number | undefined;
  readonly note: string | undefined;
  readonly routingKey: string;
  /** Number of the attempt that runs or ran last. */
  readonly attempt: number;
  /** Milliseconds since 1970, as all moments here. */
  readonly sentAt: number;
  readonly dueAt: number | undefined;
  readonly endedAt: number | undefined;
}

export interface JobsModel {
  /** False if the dashboard was given no store of jobs. */
  readonly hasStore: boolean;
  /** Why the store doesn't answer. */
  readonly problem: string | undefined;
  /** Id, name, tag, or a part of one. */
  readonly text: string;
  /** '' for all. */
  readonly state: JobState | '';
  /** The newest first, behind what has the text as its id or name. */
  readonly jobs: readonly JobRow[];
  /** True if there are older ones: they are found by their whole id, name or tag. */
  readonly isFull: boolean;
}

/** The process that runs it. */
export interface JobRunFacts {
  readonly host: string;
  readonly pid: number;
  readonly since: number;
}

export interface JobFacts extends JobRow {
  readonly service: string;
  readonly queue: string | undefined;
  readonly handler: string | undefined;
  readonly startedAt: number | undefined;
  readonly run: JobRunFacts | undefined;
  readonly error: string | undefined;
  readonly reason: string | undefined;
  readonly deadQueue: string | undefined;
  readonly result: { readonly text: string; readonly isCut: boolean } | undefined;
  /** Why there is no result to be seen. */
  readonly resultProblem: string | undefined;
}

export interface JobModel {
  readonly id: string;
  /** Why the store doesn't answer; what it knows is undefined then. */
  readonly problem: string | undefined;
  readonly job: JobFacts | undefined;
}
