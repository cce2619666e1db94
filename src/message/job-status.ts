import type { JobProgress, JobRun, JobState, JobStatus } from './job.js';

/** A job as a store has it, its moments as wall-clock milliseconds. */
interface Kept extends Omit<JobStatus, 'sentAt' | 'dueAt' | 'startedAt' | 'endedAt' | 'run' | 'progress'> {
  readonly version: number;
  readonly sentAt: number;
  readonly dueAt: number | undefined;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly run: (Omit<JobRun, 'since'> & { readonly since: number }) | undefined;
  readonly progress: (Omit<JobProgress, 'at'> & { readonly at: number }) | undefined;
}

/** Beginning of a result that was encrypted, as its message was: no JSON text begins so. */
export const SEALED = 'sealed:';

/** True for a result that was encrypted. */
export const isSealed = (kept: string | undefined): boolean => kept?.startsWith(SEALED) === true;

/** State of a job as it is told. @param now wall-clock milliseconds, by which is told what is delayed */
export const stateOf = ({ state, dueAt }: Pick<Kept, 'state' | 'dueAt'>, now: number): JobState =>
  state === 'waiting' && dueAt !== undefined && dueAt > now ? 'delayed' : state;

/**
 * What is told of a record, with the result as it is kept.
 *
 * @param now wall-clock milliseconds, by which is told what is delayed
 */
export function statusOf({ version: _, ...job }: Kept, now: number): JobStatus {
  const { sentAt, dueAt, startedAt, endedAt, run, progress } = job;
  return {
    ...job,
    state: stateOf(job, now),
    sentAt: new Date(sentAt),
    dueAt: dateOf(dueAt),
    startedAt: dateOf(startedAt),
    endedAt: dateOf(endedAt),
    run: run && { ...run, since: new Date(run.since) },
    progress: progress && { ...progress, at: new Date(progress.at) },
  };
}

const dateOf = (ms: number | undefined): Date | undefined => (ms === undefined ? undefined : new Date(ms));
