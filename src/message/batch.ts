import type { Duration } from '../util/duration.js';
import type { ChainStep, CheckedStep } from './chain.js';

/*
 * A batch: jobs that are handled side by side, and messages that are sent when all of them have ended. Which of them have is
 * kept in a store that all services share which handle them. Nothing of it lives in the process that has dispatched it.
 */

/**
 * A job of a batch: a message and how it is sent, as a step of a chain is; or a list of these, which is a chain, and one job.
 */
export type BatchJob = ChainStep | readonly ChainStep[];

/** What a job must have, as {@link CheckedStep} says it. */
export type CheckedJob<Job> = Job extends readonly (infer Step)[]
  ? readonly CheckedStep<Step>[]
  : CheckedStep<Job>;

/** Jobs that are checked one by one. They may be made while they are sent: no more of them are held than are under way. */
export type CheckedJobs<Job extends BatchJob> =
  | Iterable<Job & CheckedJob<Job>>
  | AsyncIterable<Job & CheckedJob<Job>>;

/** What a message says that is sent for a batch: see {@link JobBatch.onSuccess} and its neighbours. */
export type BatchNews = 'success' | 'failure' | 'end' | 'progress';

/** What is sent once in the life of a batch, in the words of its store: those of promises, `then` for `success`. */
export type BatchCallback = 'then' | 'catch' | 'finally';

/** The same on the wire, with what is sent more than once. A promise, as the header is. */
export type BatchWord = BatchCallback | 'progress';

/** What a word of the store's or the wire's is called here. */
export const NEWS_OF = {
  then: 'success',
  catch: 'failure',
  finally: 'end',
  progress: 'progress',
} as const satisfies Record<BatchWord, BatchNews>;

/** Options of a batch as a whole. */
export interface JobBatchOptions {
  /**
   * The batch's id, from which those of all its messages follow. Give your own to dispatch the same batch once more, with the
   * same jobs: it goes on where it was. At most 200 characters. @default a new UUIDv7
   */
  id?: string;
  /** How long the store remembers it after its last change, up to 366 days. @default '30d' */
  keep?: Duration;
}

/** How far a batch is. */
export interface BatchFigures {
  /** How many jobs it has so far. */
  readonly total: number;
  /** How many of them have not ended. */
  readonly pending: number;
  /** Handled, or discarded by their handler. */
  readonly done: number;
  /** Given up: their messages lie in their dead-letter queues. */
  readonly failed: number;
  /** Not run, since the batch was cancelled. */
  readonly skipped: number;
  /** The highest percentage of jobs that had ended, 0 to 100; 0 until all are sent. It never falls. */
  readonly progress: number;
}

/** A batch as its store knows it. */
export interface BatchStatus extends BatchFigures {
  readonly id: string;
  /** What it was named; its id otherwise. */
  readonly name: string;
  readonly allowsFailures: boolean;
  /** All jobs that it begins with are sent. Until then it does not end. */
  readonly dispatched: boolean;
  /** By a failure that is not allowed, or by whoever asked for it. */
  readonly cancelled: boolean;
  /** All its jobs have ended. */
  readonly finished: boolean;
  /** What was decided on: `failure` if it was cancelled, `success` if it has ended otherwise. */
  readonly verdict: 'success' | 'failure' | undefined;
  readonly createdAt: Date;
  readonly finishedAt: Date | undefined;
}

/**
 * What the dispatch of a batch resolves to: its id, and how far it was when the last of its jobs was confirmed. Some may have ended
 * by then, and may have added others.
 */
export interface DispatchedBatch extends BatchFigures {
  readonly id: string;
}

/** What is dispatched. */
export interface BatchPlan {
  readonly id: string;
  readonly name: string;
  readonly keep: Duration;
  readonly jobs: Iterable<BatchJob> | AsyncIterable<BatchJob>;
  readonly allowsFailures: boolean;
  readonly news: Readonly<Partial<Record<BatchWord, ChainStep>>>;
}

/** What a batch does when it is told to. */
export interface BatchActions {
  dispatch(plan: BatchPlan): Promise<DispatchedBatch>;
  cancel(id: string): Promise<boolean>;
}

/**
 * A batch before it is dispatched. What is sent for it are messages to handlers, which get their figures in `context.batch`. Nothing
 * is sent before {@link dispatch}.
 */
export class JobBatch {
  private title: string | undefined;
  private toleratesFailures = false;
  private readonly news: Partial<Record<BatchWord, ChainStep>> = {};

  /** @internal */
  constructor(
    readonly id: string,
    private readonly keep: Duration,
    private readonly jobs: Iterable<BatchJob> | AsyncIterable<BatchJob>,
    private readonly actions: BatchActions,
  ) {}

  /** What it is called for those who look at it, in up to 500 characters. @default its id */
  name(name: string): this {
    this.title = name;
    return this;
  }

  /** Sent when all jobs have ended, if none has failed or failures are allowed, and nobody has cancelled it. */
  onSuccess<Step extends ChainStep>(step: Step & CheckedStep<Step>): this {
    return this.on('then', step);
  }

  /** Sent when the first job fails, if failures are not allowed, or when it is cancelled. */
  onFailure<Step extends ChainStep>(step: Step & CheckedStep<Step>): this {
    return this.on('catch', step);
  }

  /** Sent when all jobs have ended, however they did, after what `onSuccess` or `onFailure` has asked for. */
  onEnd<Step extends ChainStep>(step: Step & CheckedStep<Step>): this {
    return this.on('finally', step);
  }

  /**
   * Sent whenever one percent more of the jobs has ended, with the figures of that moment: each percent once at most. One that
   * can't be sent is left out.
   */
  onProgress<Step extends ChainStep>(step: Step & CheckedStep<Step>): this {
    return this.on('progress', step);
  }

  /** Goes on though jobs fail; without it the first failure cancels the batch. */
  allowFailures(): this {
    this.toleratesFailures = true;
    return this;
  }

  /**
   * Sends the jobs, in their order, and resolves when the broker has confirmed the last one. Called again, or by another
   * process with the same id and the same jobs, it sends those that are not known to be sent, under the same ids.
   *
   * A batch that is cancelled meanwhile takes no more jobs: what is not sent then is left out, and does not count.
   *
   * @throws OptionsError if the bus has no store for batches, or its jobs are a generator that is used up
   * @throws PublishManyError if some jobs could not be sent: the batch does not end until it is dispatched again
   * @throws BatchError if it was dispatched with more or fewer jobs before, or is forgotten meanwhile
   * @throws the errors of {@link Publisher.send}, of whichever job or callback, and what the store's client throws
   */
  dispatch(): Promise<DispatchedBatch> {
    const { id, keep, jobs, news, title: name = id, toleratesFailures: allowsFailures } = this;
    return this.actions.dispatch({ id, name, keep, jobs, allowsFailures, news });
  }

  /** Jobs that have not begun are not run any more. @returns whether this call has cancelled it */
  cancel(): Promise<boolean> {
    return this.actions.cancel(this.id);
  }

  private on(what: BatchWord, step: ChainStep): this {
    this.news[what] = step;
    return this;
  }
}

/** What a handler knows of the batch that its message belongs to. */
export interface BatchContext {
  readonly id: string;
  /** Of a job: its place in the batch, 0 for the first. */
  readonly number: number | undefined;
  /** Of a message that is sent for the batch: which one it is. */
  readonly news: BatchNews | undefined;
  /** Of a message that is sent for the batch: how far it was when that was decided. */
  readonly figures: BatchFigures | undefined;

  /**
   * Adds jobs. A handler that is run again adds nothing twice, if it adds the same in the same order.
   *
   * @throws BatchError if the message is no job, or the batch is cancelled, has ended, or is not in the store
   * @throws AttemptOverError if the attempt is over
   * @throws PublishManyError if some could not be sent: if no later attempt sends them, they count as failed when the job is over
   * @throws as {@link JobBatch.dispatch}
   */
  add<Job extends BatchJob>(jobs: CheckedJobs<Job>): Promise<void>;

  /** Jobs that have not begun are not run any more. @returns whether this call has cancelled it */
  cancel(): Promise<boolean>;

  /** Asks the store whether it is cancelled by now: for jobs that take long. */
  isCancelled(): Promise<boolean>;

  /** Asks the store how far it is by now; undefined if that knows nothing of it any more. */
  find(): Promise<BatchStatus | undefined>;
}
