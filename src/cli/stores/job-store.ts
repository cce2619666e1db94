import { knownJob } from '../../oversight/jobs/known-jobs.js';
import type { JobStore, StoredJob } from '../../stores/jobs.js';
import type { Terminal } from '../output/terminal.js';
import { UsageError } from '../usage-error.js';
import { atStores, type StoreFlags } from './shared-stores.js';

/** The store of jobs, and its name. */
export interface JobSession {
  readonly store: JobStore;
  readonly name: string;
}

/** Connects for as long as `use` runs. @throws UsageError, StoreConnectError */
export const atJobs = <T>(
  flags: StoreFlags,
  terminal: Terminal,
  use: (session: JobSession) => Promise<T>,
): Promise<T> =>
  // Either kind of stores has them.
  atStores(flags, terminal, 'jobs', ({ stores, name }) => use({ store: stores.jobs as JobStore, name }));

/** The record of a job. @throws UsageError if the store does not have it */
export async function mustKnow({ store, name }: JobSession, idOrName: string): Promise<StoredJob> {
  const job = await knownJob(store, idOrName);
  if (job) return job;
  throw unknownJob(idOrName, name);
}

export const unknownJob = (idOrName: string, store: string): UsageError =>
  new UsageError(
    `no job '${idOrName}' is known in ${store}`,
    'List them with hopline job list; only messages that were sent with track or name are jobs, and they are forgotten a while after their end',
  );
