import type { Encryption } from '../../encryption/encryption.js';
import {
  JobFailedError,
  JobTimeoutError,
  JobUnknownError,
  NotReschedulableError,
  OptionsError,
} from '../../errors.js';
import type {
  CancelAnswer,
  CancelOptions,
  Job,
  JobSearch,
  JobStatus,
  ResultOptions,
} from '../../message/job.js';
import { isSealed, statusOf } from '../../message/job-status.js';
import type { OutgoingMessage } from '../../message/message.js';
import type { Published } from '../../message/published.js';
import { uniqueIn } from '../../message/unique.js';
import type { JobStore, StoredJob } from '../../stores/jobs.js';
import type { Stores } from '../../stores/stores.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { type Duration, toMs } from '../../util/duration.js';
import { reasonText } from '../../util/text/error-text.js';
import { checkCancel, checkResult, checkSearch, delayMsUntil } from './call-options.js';
import { type EndWait, EndWatch, type EndWatchOptions } from './end-watch.js';
import { FoundJob, type JobCalls, TrackedJob } from './handles.js';
import { sentAgain } from './kept-message.js';
import type { JobNotice } from './notices.js';
import { JobRecords } from './records.js';
import { plainResult, readResult } from './results.js';
import type { TrackedSends } from './send-stage.js';

export interface JobsOptions extends Omit<EndWatchOptions, 'records' | 'session'> {
  readonly store: JobStore;
  readonly stores: Pick<Stores, 'unique'>;
  readonly encryption: Encryption | undefined;
  readonly publishDeadlineMs: number;
  /** @throws NotStartedError, StoppedError */
  session(): Pick<Session, 'listen' | 'publish'>;
  /** Fires the signals of a message's attempts, in whichever process. */
  abort(messageId: string): Promise<void>;
}

/** Most named jobs in one answer, if the call names no other number. */
const LISTED = 100;

/** The jobs of a bus: those that it sends, and all that its store knows. */
export class Jobs implements TrackedSends, JobCalls {
  readonly records: JobRecords;
  private readonly watch: EndWatch;

  constructor(private readonly options: JobsOptions) {
    this.records = new JobRecords(options.store);
    this.watch = new EndWatch({ ...options, records: this.records });
  }

  get clock(): Clock {
    return this.options.clock;
  }

  address(): string | undefined {
    return this.watch.address();
  }

  /** The job that a send resolves with. @param isTold true if its message names the address of this process */
  sent(published: Published, isTold: boolean): TrackedJob {
    return new TrackedJob(published, isTold, this);
  }

  /** @throws the errors of the store's client */
  async find(idOrName: string): Promise<Job | undefined> {
    const job = await this.recordOf(idOrName);
    return job && new FoundJob(job.id, this);
  }

  /** @throws OptionsError; the errors of the store's client */
  async list(search: JobSearch): Promise<JobStatus[]> {
    checkSearch(search);
    const now = this.clock.now();
    const jobs = await this.options.store.list({ atMost: LISTED, ...search }, now);
    return Promise.all(jobs.map((job) => this.told(job)));
  }

  /** @throws OptionsError; the errors of the store's client */
  async scheduled(search: Pick<JobSearch, 'atMost'>): Promise<JobStatus[]> {
    checkSearch(search);
    const jobs = await this.options.store.scheduled(search.atMost ?? LISTED);
    return Promise.all(jobs.map((job) => this.told(job)));
  }

  async status(id: string): Promise<JobStatus | undefined> {
    const job = await this.records.find(id);
    return job && this.told(job);
  }

  /** @throws OptionsError; the errors of the store's client, and of a publish for `abort` */
  async cancel(idOrName: string, options: CancelOptions = {}): Promise<CancelAnswer | undefined> {
    checkCancel(options);
    const { store, clock, abort } = this.options;
    const at = clock.now();
    const answer = await store.cancel(idOrName, at);
    const id = answer === undefined ? await store.named(idOrName) : idOrName;
    const final = answer ?? (id === undefined ? undefined : await store.cancel(id, at));
    if (final === 'running' && options.abort && id !== undefined) await abort(id);
    return final;
  }

  /**
   * Sends a job again with another delay. The broker has the new sending before the store makes it count: if this process dies in
   * between, whichever of the two is due first is run, and the other is dropped.
   */
  async reschedule(idOrName: string, when: Date | Duration): Promise<Date> {
    const { store, clock, publishDeadlineMs, session } = this.options;
    const delayMs = delayMsUntil(when, clock.now());
    const open = session();
    const { id } = (await this.recordOf(idOrName)) ?? {};
    const dueAt = clock.now() + delayMs;
    const reserved = id === undefined ? undefined : await store.reserve(id, dueAt);
    if (id === undefined || reserved === undefined) throw new JobUnknownError(idOrName);
    if (reserved === 'no-message')
      throw new OptionsError('reschedule', [
        `expected a job that was sent with a name, since only its message is kept; '${idOrName}' was sent with track alone`,
      ]);
    if (typeof reserved === 'string') throw new NotReschedulableError(idOrName, reserved);
    const { message, version } = reserved;
    const again = sentAgain(message, { version, delayMs, deadlineMs: publishDeadlineMs });
    await this.keepUnique(id, again, delayMs);
    await open.publish(again);
    const moved = await store.move(id, version, dueAt);
    if (moved === undefined) throw new JobUnknownError(idOrName);
    if (moved !== 'moved') throw new NotReschedulableError(idOrName, moved);
    return new Date(dueAt);
  }

  /** The result of a job, and its failure as an error. @throws as {@link Job.result} */
  async result(id: string, isTold: boolean, options?: ResultOptions): Promise<unknown> {
    if (options !== undefined) checkResult(options);
    const timeout = options?.timeout;
    const wait = this.watch.endOf(id, isTold);
    if (timeout === undefined) return this.resultOf(id, await wait.ended);
    try {
      const deadline = new Deadline(this.clock, toMs(timeout));
      const end = await deadline.race(wait.ended, () => new JobTimeoutError(id, deadline.durationMs));
      return await this.resultOf(id, end);
    } finally {
      wait.leave();
    }
  }

  endOf(id: string, isTold: boolean): EndWait {
    return this.watch.endOf(id, isTold);
  }

  /** Ends all waiting. @param forGood false if the bus may start again */
  end(forGood: boolean): void {
    this.watch.end(forGood);
  }

  private async resultOf(id: string, end: JobNotice | undefined): Promise<unknown> {
    if (!end) throw new JobUnknownError(id);
    const { state, reason, error, result, resultProblem } = end;
    if (state !== 'done') throw new JobFailedError(id, state, reason, error);
    if (resultProblem !== undefined) throw new JobFailedError(id, 'result-lost', undefined, resultProblem);
    if (!isSealed(result)) return plainResult(result);
    const { routingKey = '' } = (await this.records.find(id)) ?? {};
    return readResult(result, { id, routingKey }, this.options.encryption);
  }

  /** Its key is to last until it is due. One that is lost, or can't be kept, keeps no message from being sent. */
  private async keepUnique(id: string, { properties }: OutgoingMessage, delayMs: number): Promise<void> {
    const { stores, log } = this.options;
    const unique = uniqueIn(properties.headers ?? {});
    if (!unique) return;
    const { key, number } = unique;
    const keepMs = delayMs + unique.forMs;
    try {
      // A number is remembered for longer; whether it counts is as it was.
      if (number === undefined) await stores.unique.extend(key, id, keepMs);
      else await stores.unique.advance(key, number, keepMs);
    } catch (error) {
      log.warn(
        { messageId: id, error },
        'the key of a unique message that is moved could not be kept: another may be sent beside it',
      );
    }
  }

  private async told(job: StoredJob): Promise<JobStatus> {
    const status = statusOf(job, this.clock.now());
    try {
      return { ...status, result: await readResult(job.result, job, this.options.encryption) };
    } catch (error) {
      return { ...status, result: undefined, resultProblem: reasonText(error) };
    }
  }

  private async recordOf(idOrName: string): Promise<StoredJob | undefined> {
    const known = await this.records.find(idOrName);
    if (known) return known;
    const id = await this.options.store.named(idOrName);
    return id === undefined ? undefined : this.records.find(id);
  }
}
