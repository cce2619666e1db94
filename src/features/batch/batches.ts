import { BatchError, OptionsError, PublishManyError, type PublishManyFailure } from '../../errors.js';
import type { BusEvents } from '../../events.js';
import {
  type BatchActions,
  type BatchFigures,
  type BatchJob,
  type BatchPlan,
  type BatchStatus,
  type DispatchedBatch,
  NEWS_OF,
} from '../../message/batch.js';
import type { BatchPlace } from '../../message/wire/batch-header.js';
import type { PublishWrap } from '../../pipeline/publish-middleware.js';
import type {
  BatchChange,
  BatchCounts,
  BatchRecord,
  BatchStore,
  Closed,
  JobResult,
} from '../../stores/batches.js';
import type { Clock } from '../../util/clock.js';
import { toMs } from '../../util/duration.js';
import type { Emitter } from '../../util/emitter.js';
import type { Logger } from '../../util/logger.js';
import { type Carried, type JobDraft, jobId, type Steps } from '../chain/steps.js';
import { NewsOfBatches } from './batch-news.js';
import { checkBatchPlan } from './batch-options.js';
import { JobPassage } from './job-passage.js';
import { OverdueBatches } from './overdue-batches.js';

export interface BatchesOptions {
  readonly service: string;
  readonly store: BatchStore | undefined;
  readonly steps: Steps;
  /** Publish middleware of the bus; undefined if there is none. */
  readonly wrap?: PublishWrap | undefined;
  readonly events: Emitter<BusEvents>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Maximum number of jobs that are held, and sent at once. Changing it breaks a dispatch that was interrupted
 * and is repeated: a key of the store stands for one window.
 */
const WINDOW = 500;

/** Parameters of one sending of jobs. */
interface Sending {
  readonly id: string;
  /** Key of the n-th window in the store: the same key gives the same job numbers again. */
  readonly keyOf: (window: number) => string;
  readonly carried: Carried;
  /** Number of the job that adds these; undefined in a dispatch. */
  readonly by?: number;
}

/**
 * Sends the jobs of batches, reports their results to the store, and sends the notifications that the store
 * then makes due.
 */
export class Batches implements BatchActions {
  /** Sends the notifications of batches whose process has died. */
  readonly overdue: OverdueBatches;
  private readonly news: NewsOfBatches;
  /** Generators whose jobs were already taken. */
  private readonly used = new WeakSet<object>();

  constructor(private readonly options: BatchesOptions) {
    this.news = new NewsOfBatches(options);
    // A cancel does not change a batch that is decided, and its answer holds all notifications that are due.
    this.overdue = new OverdueBatches({ ...options, send: (id) => this.cancel(id) });
  }

  /** The store of batches. @throws OptionsError if the bus has none */
  get store(): BatchStore {
    const { store } = this.options;
    if (store) return store;
    throw new OptionsError('stores', [
      'expected stores.batches to be a store of batches, as redisStores() and postgresStores() have it, got undefined',
    ]);
  }

  async dispatch(plan: BatchPlan): Promise<DispatchedBatch> {
    const { store } = this;
    const { service } = this.options;
    const { id, name, keep, jobs, allowsFailures } = plan;
    checkBatchPlan(plan);
    const callbacks = await this.news.written(plan);
    await store.open({ id, name, service, allowsFailures, callbacks, keepMs: toMs(keep) });
    const carried = { headers: {}, correlationId: id };
    this.mustBeFresh(jobs);
    const keyOf = (window: number) => `dispatch/${window}`;
    const { count, closed } = await this.send(jobs, { id, carried, keyOf });
    const { initial = count } = (await store.find(id)) ?? {};
    // A sealed batch ends: jobs that are missing this time would be lost without notice.
    if (closed === 'closed' || count < initial)
      throw otherJobs(id, `${initial} jobs`, `${closed ? 'more' : count}`);
    const change = known(id, await store.seal(id));
    this.options.events.emit('batch.dispatched', this.about(id, change));
    await this.follow(id, change);
    return { id, ...figuresOf(change) };
  }

  /**
   * Sends jobs of a batch that exists, in windows. Jobs that have numbers from an earlier try are sent under
   * the same ids, or not at all if they are known to be sent.
   *
   * @returns the number of jobs that are sent by now, and why that is not all of them
   */
  async send(
    jobs: Iterable<BatchJob> | AsyncIterable<BatchJob>,
    sending: Sending,
  ): Promise<{ count: number; closed?: Closed }> {
    let window = 0;
    let count = 0;
    for await (const some of windowsOf(jobs)) {
      const closed = await this.sendWindow(some, sending, window);
      if (closed) return { count, closed };
      window += 1;
      count += some.length;
    }
    return { count };
  }

  /**
   * Asks the store whether a job may run. Undefined, too, if the bus has no store: the job is a message like
   * any other then.
   */
  async begin({ id, number }: BatchPlace): Promise<Awaited<ReturnType<BatchStore['begin']>>> {
    return this.options.store?.begin(id, number);
  }

  /**
   * Reports the result of a job, and ends the jobs that it has added and not sent, which nobody else would
   * ever end. If it rejects, it must be called again: notifications that are due are sent then.
   *
   * @throws errors of the store's client, and those errors of `send` that are temporary
   */
  async report({ id, number }: BatchPlace, result: JobResult): Promise<void> {
    const unsent = await this.settle(id, number, result);
    for (const lost of unsent) await this.settle(id, lost, result === 'skipped' ? 'skipped' : 'failed');
  }

  async cancel(id: string): Promise<boolean> {
    const change = await this.store.cancel(id);
    if (!change) return false;
    await this.follow(id, change);
    return change.hasCancelled;
  }

  async find(id: string): Promise<BatchStatus | undefined> {
    const record = await this.store.find(id);
    return record && statusOf(record);
  }

  /** @returns the numbers of the jobs that this job has added and not sent */
  private async settle(id: string, number: number, result: JobResult): Promise<readonly number[]> {
    const change = await this.options.store?.settle(id, number, result);
    if (change) {
      await this.follow(id, change);
      return change.unsent;
    }
    this.options.log.warn(
      { batchId: id, number, result },
      'a job of a batch has ended of which the store knows nothing: it was forgotten, or is kept in a store that this bus does not have',
    );
    return [];
  }

  /**
   * Emits the events of a change, and sends the notifications that are due, in order; each is marked as sent
   * once it is confirmed.
   */
  private async follow(id: string, change: BatchChange): Promise<void> {
    const { events } = this.options;
    if (change.hasCancelled) events.emit('batch.cancelled', this.about(id, change));
    if (change.hasFinished) events.emit('batch.finished', this.about(id, change));
    const figures = figuresOf(change);
    if (change.hasProgressed) await this.news.sendProgress(this.store, id, figures);
    for (const callback of change.due) await this.news.send(this.store, id, callback, figures);
  }

  private async sendWindow(
    jobs: readonly BatchJob[],
    sending: Sending,
    window: number,
  ): Promise<Closed | undefined> {
    const { steps, wrap } = this.options;
    const passages = jobs.map(
      (job) => new JobPassage(job, (each, encodings) => steps.draftJob(each, encodings), wrap),
    );
    try {
      return await this.sendPassages(passages, sending, window);
    } catch (error) {
      for (const passage of passages) passage.end(error as Error);
      throw error;
    }
  }

  private async sendPassages(
    passages: readonly JobPassage[],
    { id, keyOf, carried, by }: Sending,
    window: number,
  ): Promise<Closed | undefined> {
    const drafts = await Promise.all(passages.map(({ draft }) => draft));
    const key = keyOf(window);
    const given = known(id, await this.store.reserve(id, key, passages.length, by));
    if (given === 'cancelled' || given === 'closed') {
      for (const passage of passages) passage.end(noMoreJobs(id, given));
      return given;
    }
    if (given.count !== passages.length)
      throw otherJobs(id, `${given.count} jobs in this place`, `${passages.length}`);
    for (const [index, passage] of passages.entries()) {
      const number = given.first + index;
      if (!given.unsent.includes(number))
        passage.end({ messageId: jobId({ id, number }), confirmed: true, dueAt: undefined });
    }
    if (given.unsent.length === 0) return undefined;
    const failures: PublishManyFailure[] = [];
    const unsent: number[] = [];
    await Promise.all(
      given.unsent.map(async (number) => {
        const index = number - given.first;
        const send = async () => {
          try {
            return await this.options.steps.sendJob(drafts[index] as JobDraft, { id, number }, carried);
          } catch (error) {
            unsent.push(number);
            // Whatever middleware makes of it: the batch is not complete.
            failures.push({ index: number, error: error as Error });
            throw error;
          }
        };
        try {
          await passages[index]?.send(send);
        } catch (error) {
          if (!unsent.includes(number)) failures.push({ index: number, error: error as Error });
        }
      }),
    );
    const told = this.store.dispatched(id, key, unsent);
    if (failures.length === 0) {
      await told;
      return undefined;
    }
    await told.catch(() => {}); // if this fails, a repeated dispatch sends all of them again, and those that have ended are not run
    throw notSent(drafts, given.first, failures);
  }

  /** @throws OptionsError for a generator that was already used */
  private mustBeFresh(jobs: object): void {
    if (!('next' in jobs)) return;
    if (this.used.has(jobs)) {
      throw new OptionsError('batch', [
        'its jobs are a generator that is used up: make a new batch of a new one, with the same id',
      ]);
    }
    this.used.add(jobs);
  }

  private about(batchId: string, change: BatchCounts) {
    return { service: this.options.service, batchId, ...figuresOf(change) };
  }
}

/** Returns the store's answer. @throws BatchError if the store does not have the batch */
function known<Answer>(id: string, answer: Answer | undefined): Answer {
  if (answer !== undefined) return answer;
  throw new BatchError(
    `the store knows no batch '${id}'`,
    'It is forgotten some time after its last change (see keep), or is kept in another store.',
  );
}

const noMoreJobs = (id: string, closed: Closed) =>
  new BatchError(
    `batch '${id}' takes no more jobs: it ${closed === 'cancelled' ? 'was cancelled' : 'is complete'}`,
    'Dispatch another batch.',
  );

const otherJobs = (id: string, before: string, now: string) =>
  new BatchError(
    `batch '${id}' was given ${before} before, and now ${now}`,
    'Whoever dispatches a batch once more, or is run again and adds to one, gives the same jobs in the same order.',
  );

function notSent(
  jobs: readonly JobDraft[],
  first: number,
  failures: readonly PublishManyFailure[],
): PublishManyError {
  const sorted = failures.toSorted((left, right) => left.index - right.index);
  const key = jobs[(sorted[0]?.index ?? first) - first]?.key ?? '';
  return new PublishManyError(key, jobs.length, sorted);
}

async function* windowsOf<Each>(all: Iterable<Each> | AsyncIterable<Each>): AsyncGenerator<Each[]> {
  let window: Each[] = [];
  for await (const each of all) {
    window.push(each);
    if (window.length < WINDOW) continue;
    yield window;
    window = [];
  }
  if (window.length > 0) yield window;
}

function figuresOf({ total, done, failed, skipped, progress }: BatchCounts): BatchFigures {
  return { total, pending: total - done - failed - skipped, done, failed, skipped, progress };
}

function statusOf(record: BatchRecord): BatchStatus {
  const { id, name, allowsFailures, isSealed, isCancelled, createdAt, finishedAt, verdict } = record;
  return {
    id,
    name,
    allowsFailures,
    ...figuresOf(record),
    dispatched: isSealed,
    cancelled: isCancelled,
    finished: finishedAt !== undefined,
    verdict: verdict && NEWS_OF[verdict],
    createdAt: new Date(createdAt),
    finishedAt: finishedAt === undefined ? undefined : new Date(finishedAt),
  };
}
