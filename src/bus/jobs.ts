import type { Jobs } from '../features/job/jobs.js';
import type { CancelAnswer, CancelOptions, Job, JobSearch, JobStatus } from '../message/job.js';
import { Requester } from '../message/requests/requester.js';
import type { Duration } from '../util/duration.js';

/** What a bus has of jobs beside sending them. */
export abstract class BusWithJobs extends Requester {
  /** @throws OptionsError if the stores have none */
  protected abstract readonly jobs: Jobs;

  /**
   * The job with this id, or with this name, be it of another process; undefined if the stores don't know it, or no longer. Works before
   * `start()`.
   *
   * @throws OptionsError if the bus has no store of jobs; the errors of the store's client
   */
  async findJob(idOrName: string): Promise<Job | undefined> {
    return this.jobs.find(idOrName);
  }

  /**
   * The newest jobs with a tag, in a state, or all. Works before `start()`.
   *
   * @throws OptionsError; the errors of the store's client
   */
  async findJobs(search: JobSearch = {}): Promise<JobStatus[]> {
    return this.jobs.list(search);
  }

  /**
   * Jobs with a name that have not ended, those that are due first. Works before `start()`.
   *
   * @throws OptionsError; the errors of the store's client
   */
  async scheduled(search: Pick<JobSearch, 'atMost'> = {}): Promise<JobStatus[]> {
    return this.jobs.scheduled(search);
  }

  /**
   * Takes back a job that waits or is delayed: its message is dropped when it arrives. Works before `start()`, but for `abort`.
   *
   * @param idOrName id of a tracked message, or name of one with a name
   * @returns undefined if the stores don't know it
   * @throws OptionsError; the errors of the store's client; with `abort` those of {@link publish}
   */
  async cancel(idOrName: string, options: CancelOptions = {}): Promise<CancelAnswer | undefined> {
    return this.jobs.cancel(idOrName, options);
  }

  /**
   * Moves a job with a name that waits or is delayed to another moment: its message is sent again, and the older one is dropped when it
   * arrives.
   *
   * @param when the moment, or the time from now on
   * @returns when it is due
   * @throws JobUnknownError if the stores don't know it
   * @throws NotReschedulableError if it runs or has ended, or another call has moved it meanwhile
   * @throws OptionsError; the errors of the store's client, and of {@link publish}: the job is then due at either moment, and runs once
   */
  async reschedule(idOrName: string, when: Date | Duration): Promise<Date> {
    return this.jobs.reschedule(idOrName, when);
  }
}
