import type { Duration } from '../util/duration.js';
import type { ChainStep, CheckedStep } from './chain.js';

/*
 * A batch: jobs that are handled in parallel, and notifications, messages that are sent when all of them have
 * ended. Its state is kept in a store that all services share which handle its jobs; the process that dispatched
 * it keeps none.
 */

/**
 * A job of a batch: a message and its publish options, as for a step of a chain; or a list of steps, which is a
 * chain and counts as one job.
 */
export type BatchJob = ChainStep | readonly ChainStep[];

/** Type that a job must have; see {@link CheckedStep}. */
export type CheckedJob<Job> = Job extends readonly (infer Step)[]
  ? readonly CheckedStep<Step>[]
  : CheckedStep<Job>;

/** Jobs, each with its type checked. An iterable may create them while they are sent: only those under way are held. */
export type CheckedJobs<Job extends BatchJob> =
  | Iterable<Job & CheckedJob<Job>>
  | AsyncIterable<Job & CheckedJob<Job>>;

/** Kind of a batch's notification; {@link Batch} has a method for each. */
export type BatchNotification = 'success' | 'failure' | 'end' | 'progress';

/** Notification that is sent once per batch, under the name that stores use: that of the promise's method. */
export type StoredNotification = 'then' | 'catch' | 'finally';

/** Notification under the name that it has in headers and in derived message ids: the format is a promise. */
export type WireNotification = StoredNotification | 'progress';

/** Public names of the notifications. */
export const NOTIFICATION_OF = {
  then: 'success',
  catch: 'failure',
  finally: 'end',
  progress: 'progress',
} as const satisfies Record<WireNotification, BatchNotification>;

/** Options of a batch as a whole. */
export interface BatchOptions {
  /**
   * Id of the batch; the ids of all its messages are derived from it. Give your own to dispatch the same batch
   * again with the same jobs: it continues where it was. At most 200 characters. @default a new UUIDv7
   */
  id?: string;
  /** Time for which the store remembers the batch after its last change, up to 366 days. @default '30d' */
  keep?: Duration;
}

/** Counts of a batch's jobs. */
export interface BatchCounts {
  /** Jobs so far. */
  readonly total: number;
  /** Jobs that have not ended. */
  readonly pending: number;
  /** Jobs that were handled, or discarded by their handler. */
  readonly done: number;
  /** Jobs that were given up: their messages are in their dead-letter queues. */
  readonly failed: number;
  /** Jobs that were not run, because the batch was cancelled. */
  readonly skipped: number;
  /** Highest percentage of ended jobs so far, 0 to 100; 0 until all jobs are sent. It never falls. */
  readonly progress: number;
}

/** State of a batch in its store. */
export interface BatchStatus extends BatchCounts {
  readonly id: string;
  /** Name of the batch, or else its id. */
  readonly name: string;
  readonly allowsFailures: boolean;
  /** True when all initial jobs are sent. Until then the batch does not end. */
  readonly dispatched: boolean;
  /** True after a failure that is not allowed, or a call of `cancel`. */
  readonly cancelled: boolean;
  /** True when all jobs have ended. */
  readonly finished: boolean;
  /** Result: `failure` if the batch was cancelled, `success` if it has ended otherwise; undefined until then. */
  readonly verdict: 'success' | 'failure' | undefined;
  readonly createdAt: Date;
  readonly finishedAt: Date | undefined;
}

/**
 * Result of dispatching a batch: its id, and its counts when the last initial job was confirmed. Some jobs may
 * have ended by then, and may have added others.
 */
export interface DispatchedBatch extends BatchCounts {
  readonly id: string;
}

/** Content of a dispatch. */
export interface BatchPlan {
  readonly id: string;
  readonly name: string;
  readonly keep: Duration;
  readonly jobs: Iterable<BatchJob> | AsyncIterable<BatchJob>;
  readonly allowsFailures: boolean;
  readonly notifications: Readonly<Partial<Record<WireNotification, ChainStep>>>;
}

/** Operations that a bus provides to a batch. */
export interface BatchActions {
  dispatch(plan: BatchPlan): Promise<DispatchedBatch>;
  cancel(id: string): Promise<boolean>;
}

/**
 * Jobs that are handled in parallel, before they are dispatched. Its notifications go to handlers, which get the
 * counts in `context.batch`. Nothing is sent before {@link dispatch}.
 */
export class Batch {
  private title: string | undefined;
  private toleratesFailures = false;
  private readonly notifications: Partial<Record<WireNotification, ChainStep>> = {};

  /** @internal */
  constructor(
    readonly id: string,
    private readonly keep: Duration,
    private readonly jobs: Iterable<BatchJob> | AsyncIterable<BatchJob>,
    private readonly actions: BatchActions,
  ) {}

  /** Sets the name of the batch for operators, up to 500 characters. @default its id */
  name(name: string): this {
    this.title = name;
    return this;
  }

  /**
   * Sets the notification that is sent when all jobs have ended, if the batch was not cancelled, and no job failed
   * or failures are allowed.
   */
  onSuccess<Step extends ChainStep>(step: Step & CheckedStep<Step>): this {
    return this.on('then', step);
  }

  /**
   * Sets the notification that is sent when the batch is cancelled: by a caller, or by the first failed job if
   * failures are not allowed.
   */
  onFailure<Step extends ChainStep>(step: Step & CheckedStep<Step>): this {
    return this.on('catch', step);
  }

  /**
   * Sets the notification that is sent when all jobs have ended, with whatever result, after that of
   * `onSuccess` or `onFailure`.
   */
  onEnd<Step extends ChainStep>(step: Step & CheckedStep<Step>): this {
    return this.on('finally', step);
  }

  /**
   * Sets the notification that is sent whenever another percent of the jobs has ended, with the counts at that
   * moment: once for each percent at most. One that can't be sent is left out.
   */
  onProgress<Step extends ChainStep>(step: Step & CheckedStep<Step>): this {
    return this.on('progress', step);
  }

  /** Lets the batch go on when jobs fail; without it the first failure cancels the batch. */
  allowFailures(): this {
    this.toleratesFailures = true;
    return this;
  }

  /**
   * Sends the jobs in their order, and resolves when the broker has confirmed the last one. A second call, also
   * by another process with the same id and the same jobs, sends the jobs that are not known to be sent, under
   * the same ids.
   *
   * If the batch is cancelled meanwhile, the jobs that are not sent yet are left out, and are not counted.
   *
   * @throws OptionsError if the bus has no store for batches, or its jobs are a generator that is used up
   * @throws PublishManyError if some jobs could not be sent: the batch does not end until it is dispatched
   * again
   * @throws BatchError if it was dispatched with more or fewer jobs before, or the store has forgotten it
   * meanwhile
   * @throws the errors of {@link Publisher.send}, for any job or notification; the errors of the store's client
   */
  dispatch(): Promise<DispatchedBatch> {
    const { id, keep, jobs, notifications, title: name = id, toleratesFailures: allowsFailures } = this;
    return this.actions.dispatch({ id, name, keep, jobs, allowsFailures, notifications });
  }

  /** Cancels the batch: jobs that have not begun are skipped. @returns true if this call has cancelled it */
  cancel(): Promise<boolean> {
    return this.actions.cancel(this.id);
  }

  private on(kind: WireNotification, step: ChainStep): this {
    this.notifications[kind] = step;
    return this;
  }
}

/** The batch that a handler's message belongs to. */
export interface BatchContext {
  readonly id: string;
  /** For a job: its index in the batch, 0 for the first. */
  readonly number: number | undefined;
  /** For a notification: its kind. */
  readonly notification: BatchNotification | undefined;
  /** For a notification: the counts at the moment it was decided. */
  readonly counts: BatchCounts | undefined;

  /**
   * Adds jobs to the batch. A repeated run of the handler adds nothing twice, if it adds the same jobs in the
   * same order.
   *
   * @throws BatchError if the message is not a job, or the batch is cancelled, has ended, or is not in the
   * store
   * @throws AttemptOverError if the attempt is over
   * @throws PublishManyError if some jobs could not be sent: if no later attempt sends them, they count as
   * failed when this job ends
   * @throws as {@link Batch.dispatch}
   */
  add<Job extends BatchJob>(jobs: CheckedJobs<Job>): Promise<void>;

  /** Cancels the batch: jobs that have not begun are skipped. @returns true if this call has cancelled it */
  cancel(): Promise<boolean>;

  /** Asks the store whether the batch is cancelled: for jobs that take long. */
  isCancelled(): Promise<boolean>;

  /** Asks the store for the batch's state; undefined if the store has forgotten it. */
  find(): Promise<BatchStatus | undefined>;
}
