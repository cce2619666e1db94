import type { CancelAnswer, JobState } from '../../message/job.js';
import type { JobStore, StoredJob } from '../../stores/jobs.js';

/** All states, in the order of a job's life. */
export const JOB_STATES: readonly JobState[] = [
  'waiting',
  'delayed',
  'running',
  'done',
  'dead-lettered',
  'discarded',
  'cancelled',
];

/** State of a job as it is told. @param now wall-clock milliseconds, by which is told what is delayed */
export const stateOf = ({ state, dueAt }: Pick<StoredJob, 'state' | 'dueAt'>, now: number): JobState =>
  state === 'waiting' && dueAt !== undefined && dueAt > now ? 'delayed' : state;

/** The job with this id, or the one that has this name or had it last. @throws the errors of the store's client */
export async function knownJob(
  store: Pick<JobStore, 'find' | 'named'>,
  idOrName: string,
): Promise<StoredJob | undefined> {
  const [byId] = await store.find([idOrName]);
  if (byId) return byId;
  const id = await store.named(idOrName);
  return id === undefined ? undefined : (await store.find([id]))[0];
}

/** A job that somebody wanted to take back, as it was then. */
export interface TakenBack {
  readonly job: StoredJob;
  readonly answer: CancelAnswer;
}

/**
 * Takes a job back that waits; one that runs is marked, and does not begin again. Undefined if the store doesn't know it.
 *
 * @param now wall-clock milliseconds
 * @throws the errors of the store's client
 */
export async function takeBack(
  store: Pick<JobStore, 'find' | 'named' | 'cancel'>,
  idOrName: string,
  now: number,
): Promise<TakenBack | undefined> {
  const job = await knownJob(store, idOrName);
  const answer = job && (await store.cancel(job.id, now));
  return answer && { job, answer };
}

/** A job as it is told: its moments as dates, its result as it was returned. */
export function toldJob({ version: _, ...job }: StoredJob, now: number) {
  const { sentAt, dueAt, startedAt, endedAt, run, progress, result } = job;
  return {
    ...job,
    state: stateOf(job, now),
    sentAt: new Date(sentAt),
    dueAt: dateOf(dueAt),
    startedAt: dateOf(startedAt),
    endedAt: dateOf(endedAt),
    run: run && { ...run, since: new Date(run.since) },
    progress: progress && { ...progress, at: new Date(progress.at) },
    ...(isOpen(result) ? { result: result && JSON.parse(result) } : { result: undefined, isSealed: true }),
  };
}

/** False for a result that is encrypted, as its message was. */
export function isOpen(result: string | undefined): boolean {
  return result === undefined || !result.startsWith('sealed:');
}

const dateOf = (ms: number | undefined): Date | undefined => (ms === undefined ? undefined : new Date(ms));
