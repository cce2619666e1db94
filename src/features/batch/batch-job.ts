import type { ArrivalStage } from '../../consume/attempt/pipeline.js';
import type { Received } from '../../consume/attempt/received.js';
import { carriedFrom } from '../../consume/settle/carry-on.js';
import { type EffectsOf, NO_EFFECTS } from '../../consume/settle/effect.js';
import { CANCELLED, HANDLED_BEFORE, type Outcome } from '../../consume/settle/outcome.js';
import { storeAway } from '../../consume/settle/store-away.js';
import { BatchError } from '../../errors.js';
import {
  type BatchContext,
  type BatchFigures,
  type BatchJob,
  type BatchNews,
  type BatchStatus,
  type CheckedJobs,
  NEWS_OF,
} from '../../message/batch.js';
import type { Headers } from '../../message/properties.js';
import { type BatchMark, type BatchPlace, isPlace } from '../../message/wire/batch-header.js';
import type { BatchStore, Closed, JobResult } from '../../stores/batches.js';
import type { Logger } from '../../util/logger.js';

/** What the way in needs of the way out for batches. */
export interface BatchSender {
  /** As its store answers; undefined, too, if there is none. */
  begin(place: BatchPlace): ReturnType<BatchStore['begin']>;
  /** @returns why not all of them are sent */
  send(
    jobs: Iterable<BatchJob> | AsyncIterable<BatchJob>,
    sending: {
      readonly id: string;
      readonly keyOf: (window: number) => string;
      readonly carried: { headers: Headers; correlationId?: string };
      readonly by: number;
    },
  ): Promise<{ readonly closed?: Closed }>;
  /** Tells the store what has become of a job, and sends what that decides. */
  report(place: BatchPlace, result: JobResult): Promise<void>;
  cancel(id: string): Promise<boolean>;
  find(id: string): Promise<BatchStatus | undefined>;
}

/** The batch that a message has to do with, as far as that can be read. */
export function batchOf({ batch }: Received): BatchMark | undefined {
  return batch instanceof Error ? undefined : batch;
}

/** The job of a batch that a message is. */
function jobOf(received: Received): BatchPlace | undefined {
  const mark = batchOf(received);
  return mark && isPlace(mark) ? mark : undefined;
}

/** Asks before each attempt at a job of a batch whether it is still to be run. */
export function refusedJobs(batches: Pick<BatchSender, 'begin'>, log: Logger): ArrivalStage {
  return (next) => (work) => {
    const job = jobOf(work.received);
    return job ? refusalOf(job, batches, log).then((refusal) => refusal ?? next(work)) : next(work);
  };
}

/** What becomes of a job that is not to be run; undefined if it is. */
async function refusalOf(
  place: BatchPlace,
  batches: Pick<BatchSender, 'begin'>,
  log: Logger,
): Promise<Outcome | undefined> {
  try {
    // What no store knows is a message like any other; that nobody is told of its end is said when it has come.
    const answer = await batches.begin(place);
    // It has ended before. That is told again: what was due with it may not be sent yet.
    if (answer === 'ended') return HANDLED_BEFORE;
    return answer === 'skip' ? CANCELLED : undefined;
  } catch (error) {
    const fields = { batchId: place.id, number: place.number };
    return storeAway(log, error, 'whether its batch is cancelled could not be asked', fields);
  }
}

/** What a batch has stored when a job of it has ended: that, and what it decides. Told twice, it changes nothing. */
export function jobReports(batches: Pick<BatchSender, 'report'>): EffectsOf {
  return ({ received }, outcome) => {
    const job = jobOf(received);
    const result = job && resultOf(outcome);
    if (!job || !result) return NO_EFFECTS;
    const what = 'the end of a job of a batch, or what that decides,';
    return [{ what, run: () => batches.report(job, result) }];
  };
}

/** What an outcome is to the batch; undefined if its job has not ended. */
function resultOf(outcome: Outcome): JobResult | undefined {
  switch (outcome.kind) {
    case 'done':
      return outcome.continues ? undefined : 'done';
    case 'skip':
      if (outcome.continues) return undefined;
      return outcome.because === 'cancelled' ? 'skipped' : 'done';
    case 'discard':
      return 'done';
    case 'dead-letter':
      return 'failed';
    default:
      return undefined;
  }
}

/** The batch as one attempt sees it. */
export class HandlerBatch implements BatchContext {
  private additions = 0;

  constructor(
    private readonly mark: BatchMark,
    private readonly received: Received,
    private readonly batches: BatchSender,
    /** @throws AttemptOverError */
    private readonly mustNotBeOver: (call: string) => void,
  ) {}

  get id(): string {
    return this.mark.id;
  }

  get number(): number | undefined {
    return isPlace(this.mark) ? this.mark.number : undefined;
  }

  get news(): BatchNews | undefined {
    return isPlace(this.mark) ? undefined : NEWS_OF[this.mark.news];
  }

  get figures(): BatchFigures | undefined {
    return isPlace(this.mark) ? undefined : this.mark.figures;
  }

  async add<Job extends BatchJob>(jobs: CheckedJobs<Job>): Promise<void> {
    const { mark, received } = this;
    if (!isPlace(mark)) {
      throw new BatchError(
        `batch '${mark.id}' takes jobs from its jobs only, and this message is its '${NEWS_OF[mark.news]}'`,
        'Dispatch another batch.',
      );
    }
    // Nobody would end those of them that are not sent: the job's own end does.
    this.mustNotBeOver('batch.add');
    const addition = `${received.messageId ?? mark.number}/${this.additions}`;
    this.additions += 1;
    const { closed } = await this.batches.send(jobs as Iterable<BatchJob>, {
      id: mark.id,
      keyOf: (window) => `${addition}/${window}`,
      carried: carriedFrom(received),
      by: mark.number,
    });
    if (closed === 'cancelled') {
      throw new BatchError(
        `batch '${mark.id}' is cancelled: it takes no more jobs`,
        'Ask context.batch.isCancelled() before a job adds others.',
      );
    }
    if (closed) {
      throw new BatchError(
        `all jobs of batch '${mark.id}' have ended: it takes no more of them`,
        'A job that is replayed when its batch is over can add nothing: dispatch another batch for that.',
      );
    }
  }

  cancel(): Promise<boolean> {
    return this.batches.cancel(this.mark.id);
  }

  async isCancelled(): Promise<boolean> {
    return (await this.find())?.cancelled === true;
  }

  find(): Promise<BatchStatus | undefined> {
    return this.batches.find(this.mark.id);
  }
}
