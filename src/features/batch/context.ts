import { BatchError } from '../../errors.js';
import {
  type BatchContext,
  type BatchCounts,
  type BatchJob,
  type BatchNotification,
  type BatchStatus,
  type CheckedJobs,
  NOTIFICATION_OF,
} from '../../message/batch.js';
import { type BatchMark, isJob } from '../../message/wire/batch-header.js';
import { type Cause, carriedFrom } from '../../pipeline/tracing/carried.js';
import type { Batches } from './batches.js';

/** The part of a bus's batches that attempts and their outcomes use. */
export type BatchSender = Pick<Batches, 'begin' | 'send' | 'report' | 'cancel' | 'find'>;

/** `context.batch`: the batch as one attempt sees it. */
export class HandlerBatch implements BatchContext {
  private additions = 0;

  constructor(
    private readonly mark: BatchMark,
    private readonly cause: Cause,
    private readonly batches: Pick<BatchSender, 'send' | 'cancel' | 'find'>,
    /** @throws AttemptOverError */
    private readonly mustNotBeOver: (call: string) => void,
  ) {}

  get id(): string {
    return this.mark.id;
  }

  get number(): number | undefined {
    return isJob(this.mark) ? this.mark.number : undefined;
  }

  get notification(): BatchNotification | undefined {
    return isJob(this.mark) ? undefined : NOTIFICATION_OF[this.mark.kind];
  }

  get counts(): BatchCounts | undefined {
    return isJob(this.mark) ? undefined : this.mark.counts;
  }

  async add<Job extends BatchJob>(jobs: CheckedJobs<Job>): Promise<void> {
    const { mark, cause } = this;
    if (!isJob(mark)) {
      throw new BatchError(
        `batch '${mark.id}' takes jobs from its jobs only, and this message is its '${NOTIFICATION_OF[mark.kind]}'`,
        'Dispatch another batch.',
      );
    }
    // Jobs that are not sent are ended when the job that has added them ends: after that, nobody would end them.
    this.mustNotBeOver('batch.add');
    const addition = `${cause.received.messageId ?? mark.number}/${this.additions}`;
    this.additions += 1;
    const { closed } = await this.batches.send(jobs as Iterable<BatchJob>, {
      id: mark.id,
      keyOf: (window) => `${addition}/${window}`,
      carried: carriedFrom(cause),
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
