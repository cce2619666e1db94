import type { CancelAnswer } from '../../message/job.js';
import { isSealed, statusOf } from '../../message/job-status.js';
import type { JobStore, StoredJob } from '../../stores/jobs.js';

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
export function toldJob(job: StoredJob, now: number) {
  const { result } = job;
  return {
    ...statusOf(job, now),
    ...(isSealed(result) ? { result: undefined, isSealed: true } : { result: result && JSON.parse(result) }),
  };
}
