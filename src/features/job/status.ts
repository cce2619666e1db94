import type { JobState, JobStatus } from '../../message/job.js';
import type { StoredJob } from '../../stores/jobs.js';

/**
 * What is told of a record.
 *
 * @param result the result, read; undefined if it can't be
 * @param now wall-clock milliseconds, by which is told what is delayed
 */
export function statusOf(job: StoredJob, result: unknown, now: number): JobStatus {
  const { version: _, run, progress, sentAt, dueAt, startedAt, endedAt, state, ...same } = job;
  const isDelayed = state === 'waiting' && dueAt !== undefined && dueAt > now;
  const shown: JobState = isDelayed ? 'delayed' : state;
  return {
    ...same,
    result,
    state: shown,
    sentAt: new Date(sentAt),
    dueAt: dateOf(dueAt),
    startedAt: dateOf(startedAt),
    endedAt: dateOf(endedAt),
    run: run && { ...run, since: new Date(run.since) },
    progress: progress && { ...progress, at: new Date(progress.at) },
  };
}

const dateOf = (ms: number | undefined): Date | undefined => (ms === undefined ? undefined : new Date(ms));
