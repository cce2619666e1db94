import { BatchError, OptionsError, PublishManyError, type PublishManyFailure } from '../errors.js';
import type { BusEvents } from '../events.js';
import {
  type BatchActions,
  type BatchFigures,
  type BatchJob,
  type BatchPlan,
  type BatchStatus,
  type DispatchedBatch,
  NEWS_OF,
} from '../message/batch.js';
import type { BatchPlace } from '../message/batch-header.js';
import type {
  BatchChange,
  BatchCounts,
  BatchRecord,
  BatchStore,
  Closed,
  JobResult,
} from '../stores/batches.js';
import type { Clock } from '../util/clock.js';
import { toMs } from '../util/duration.js';
import type { Emitter } from '../util/emitter.js';
import type { Logger } from '../util/logger.js';
import { NewsOfBatches } from './batch-news.js';
import { checkBatchPlan } from './batch-options.js';
import { OverdueBatches } from './overdue-batches.js';
import type { Carried, JobDraft, Steps } from './steps.js';

export interface BatchesOptions {
  readonly service: string;
  readonly store: BatchStore | undefined;
  readonly steps: Steps;
  readonly events: Emitter<BusEvents>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How many jobs are held, and sent at once. A promise to those that were dispatched by halves: what has a key keeps it. */
const WINDOW = 500;

/** Jobs that are to be sent together. */
interface Sending {
  readonly id: string;
  /** Under which the numbers of the n-th window are known. */
  readonly keyOf: (window: number) => string;
  readonly carried: Carried;
  /** The job that adds them. */
  readonly by?: number;
}

/** The way out of batches: sends their jobs, tells their store what becomes of each, and sends what that decides. */
export class Batches implements BatchActions {
  /** Sends what nobody else does any more. */
  readonly overdue: OverdueBatches;
  private readonly news: NewsOfBatches;
  /** Generators that jobs were taken from. */
  private readonly used = new WeakSet<object>();

  constructor(private readonly options: BatchesOptions) {
    this.news = new NewsOfBatches(options);
    // What is decided is not changed by a cancel, which is answered with all that is due.
    this.overdue = new OverdueBatches({ ...options, send: (id) => this.cancel(id) });
  }

  /** @throws OptionsError if there is none */
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
    // What is sealed ends: those that are not given this time would be missing, and nobody would be told.
    if (closed === 'closed' || count < initial)
      throw otherJobs(id, `${initial} jobs`, `${closed ? 'more' : count}`);
    const change = known(id, await store.seal(id));
    this.options.events.emit('batch.dispatched', this.about(id, change));
    await this.follow(id, change);
    return { id, ...figuresOf(change) };
  }

  /**
   * Sends jobs of a batch that is there already, in windows. What was given numbers before is sent under the same ids, or not at
   * all if it is known to be sent.
   *
   * @returns how many are sent by now, and why that is not all of them
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

  /** As its store answers; undefined, too, if there is none: a job is a message like any other then. */
  async begin({ id, number }: BatchPlace): Promise<Awaited<ReturnType<BatchStore['begin']>>> {
    return this.options.store?.begin(id, number);
  }

  /**
   * What has become of a job, and with it of those that it has added and not sent: nobody else would ever end these. To be called
   * again if it rejects: what is due is sent then.
   *
   * @throws what the store's client throws, and the errors of `send` that pass
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

  /** @returns what it has added and not sent */
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

  /** Tells what a change has led to, and sends what is due, in order; each is marked as sent once it is confirmed. */
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
    { id, keyOf, carried, by }: Sending,
    window: number,
  ): Promise<Closed | undefined> {
    const drafts = await Promise.all(jobs.map((job) => this.options.steps.draftJob(job)));
    const key = keyOf(window);
    const given = known(id, await this.store.reserve(id, key, jobs.length, by));
    if (given === 'cancelled' || given === 'closed') return given;
    if (given.count !== jobs.length)
      throw otherJobs(id, `${given.count} jobs in this place`, `${jobs.length}`);
    if (given.unsent.length === 0) return undefined;
    const failures: PublishManyFailure[] = [];
    await Promise.all(
      given.unsent.map(async (number) => {
        try {
          await this.options.steps.sendJob(drafts[number - given.first] as JobDraft, { id, number }, carried);
        } catch (error) {
          failures.push({ index: number, error: error as Error });
        }
      }),
    );
    const unsent = failures.map(({ index }) => index);
    const told = this.store.dispatched(id, key, unsent);
    if (failures.length === 0) {
      await told;
      return undefined;
    }
    await told.catch(() => {}); // then all of them are sent again, and those that have ended are not run
    throw notSent(drafts, given.first, failures);
  }

  /** @throws OptionsError for what can be gone through once, and was */
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

/** @throws BatchError */
function known<Answer>(id: string, answer: Answer | undefined): Answer {
  if (answer !== undefined) return answer;
  throw new BatchError(
    `the store knows no batch '${id}'`,
    'It is forgotten some time after its last change (see keep), or is kept in another store.',
  );
}

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

export function statusOf(record: BatchRecord): BatchStatus {
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
