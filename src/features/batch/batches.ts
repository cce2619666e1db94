import { OptionsError } from '../../errors.js';
import type { BusEvents } from '../../events.js';
import {
  type BatchActions,
  type BatchCounts,
  type BatchJob,
  type BatchPlan,
  type BatchStatus,
  type DispatchedBatch,
  NOTIFICATION_OF,
} from '../../message/batch.js';
import type { Headers } from '../../message/properties.js';
import type { BatchPosition } from '../../message/wire/batch-header.js';
import type { PublishWrap } from '../../pipeline/publish-middleware.js';
import { withTrace } from '../../pipeline/tracing/trace-headers.js';
import type { TracedPublish, Tracing } from '../../pipeline/tracing/tracing.js';
import { areOptions } from '../../pipeline/tracing/tracing-sender.js';
import type { BatchChange, BatchStore, JobResult, StoredBatch, StoredCounts } from '../../stores/batches.js';
import type { Clock } from '../../util/clock.js';
import { toMs } from '../../util/duration.js';
import type { Emitter } from '../../util/emitter.js';
import type { Logger } from '../../util/logger.js';
import {
  JobSender,
  type JobSenderOptions,
  type JobSending,
  mustBeKnown,
  otherJobs,
  type SentJobs,
} from './job-sender.js';
import { BatchNotifications } from './notifications.js';
import { checkBatchPlan } from './options.js';
import { OverdueBatches } from './overdue.js';

export interface BatchesOptions extends JobSenderOptions {
  readonly service: string;
  readonly store: BatchStore | undefined;
  /** Publish middleware of the bus; undefined if there is none. */
  readonly wrap?: PublishWrap | undefined;
  readonly tracing: Tracing | undefined;
  readonly events: Emitter<BusEvents>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Dispatches and cancels batches, reports the results of their jobs to the store, and sends the notifications that
 * the store then makes due.
 */
export class Batches implements BatchActions {
  /** Sends the notifications of batches whose process has died. */
  readonly overdue: OverdueBatches;
  private readonly jobs: JobSender;
  private readonly notifications: BatchNotifications;
  /** Generators whose jobs were already taken. */
  private readonly used = new WeakSet<object>();

  constructor(private readonly options: BatchesOptions) {
    this.jobs = new JobSender(options);
    this.notifications = new BatchNotifications(options);
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
    const { tracing } = this.options;
    checkBatchPlan(plan);
    if (!tracing) return this.dispatchTo(store, plan, {});
    const { batch } = await tracing.publish(callOf(plan), async (headers) => {
      const batch = await this.dispatchTo(store, planInTrace(plan, headers), { ...headers });
      return { count: batch.total, batch };
    });
    return batch;
  }

  private async dispatchTo(store: BatchStore, plan: BatchPlan, headers: Headers): Promise<DispatchedBatch> {
    const { service } = this.options;
    const { id, name, keep, jobs, allowsFailures } = plan;
    const notifications = await this.notifications.encoded(plan);
    await store.open({ id, name, service, allowsFailures, notifications, keepMs: toMs(keep) });
    const carried = { headers, correlationId: id };
    this.mustBeFresh(jobs);
    const keyOf = (window: number) => `dispatch/${window}`;
    const { count, closed } = await this.send(jobs, { id, carried, keyOf });
    const { initial = count } = (await store.find(id)) ?? {};
    // A sealed batch ends: jobs that are missing this time would be lost without notice.
    if (closed === 'closed' || count < initial)
      throw otherJobs(id, `${initial} jobs`, `${closed ? 'more' : count}`);
    const change = mustBeKnown(id, await store.seal(id));
    this.options.events.emit('batch.dispatched', this.about(id, change));
    await this.follow(id, change);
    return { id, ...countsOf(change) };
  }

  /** Sends jobs of a batch that exists. @throws the errors of {@link JobSender.send} */
  async send(jobs: Iterable<BatchJob> | AsyncIterable<BatchJob>, sending: JobSending): Promise<SentJobs> {
    return this.jobs.send(this.store, jobs, sending);
  }

  /**
   * Asks the store whether a job may run. Undefined, too, if the bus has no store: the job is a message like
   * any other then.
   */
  async begin({ id, number }: BatchPosition): Promise<Awaited<ReturnType<BatchStore['begin']>>> {
    return this.options.store?.begin(id, number);
  }

  /**
   * Reports the result of a job, and ends the jobs that it has added and not sent, which nobody else would
   * ever end. If it rejects, it must be called again: notifications that are due are sent then.
   *
   * @throws errors of the store's client, and those errors of `send` that are temporary
   */
  async report({ id, number }: BatchPosition, result: JobResult): Promise<void> {
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
    const batch = await this.store.find(id);
    return batch && statusOf(batch);
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
    const counts = countsOf(change);
    if (change.hasProgressed) await this.notifications.sendProgress(this.store, id, counts);
    for (const kind of change.due) await this.notifications.send(this.store, id, kind, counts);
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

  private about(batchId: string, change: StoredCounts) {
    return { service: this.options.service, batchId, ...countsOf(change) };
  }
}

const callOf = ({ id, name }: BatchPlan): TracedPublish => ({
  ...{ of: 'batch', intent: 'send', exchange: '', routingKey: name, type: 'batch' },
  ...{ headers: {}, messageId: undefined, correlationId: id, delayMs: 0 },
});

/** The plan with notifications that go on with the trace, whichever process sends them. */
function planInTrace(plan: BatchPlan, headers: Readonly<Headers>): BatchPlan {
  const notifications = Object.entries(plan.notifications).map(([kind, step]) => {
    const own = areOptions(step) ? { ...step, headers: withTrace(step.headers, headers) } : step;
    return [kind, own];
  });
  return { ...plan, notifications: Object.fromEntries(notifications) };
}

function countsOf({ total, done, failed, skipped, progress }: StoredCounts): BatchCounts {
  return { total, pending: total - done - failed - skipped, done, failed, skipped, progress };
}

function statusOf(batch: StoredBatch): BatchStatus {
  const { id, name, allowsFailures, isSealed, isCancelled, createdAt, finishedAt, verdict } = batch;
  return {
    id,
    name,
    allowsFailures,
    ...countsOf(batch),
    dispatched: isSealed,
    cancelled: isCancelled,
    finished: finishedAt !== undefined,
    verdict: verdict && NOTIFICATION_OF[verdict],
    createdAt: new Date(createdAt),
    finishedAt: finishedAt === undefined ? undefined : new Date(finishedAt),
  };
}
