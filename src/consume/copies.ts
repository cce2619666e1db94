import { InvalidMessageError, TopologyError } from '../errors.js';
import type { BatchPlace } from '../message/batch-header.js';
import { HEADER } from '../message/headers.js';
import type { OutgoingMessage } from '../message/message.js';
import { isOwnFault } from '../publish/unsendable.js';
import type { JobResult } from '../stores/batches.js';
import { deadQueueOf, type Names } from '../topology/names.js';
import type { TransportSession } from '../transport/transport.js';
import type { Logger } from '../util/logger.js';
import { type BatchSender, jobOf } from './batch-job.js';
import type { Holding } from './holding.js';
import { deadLetter, type GivenUp, leastLetter, lightened } from './republish.js';
import type { Work } from './work.js';

export interface CopiesOptions {
  readonly names: Names;
  readonly session: TransportSession;
  readonly batches: Pick<BatchSender, 'report'>;
  readonly log: Logger;
  readonly publishDeadlineMs: number;
  /** The queue that a lane, by its place in the list of those that share the places, is one of. */
  queueOf(lane: number): string;
}

/** Publishes the copies as which messages travel on, and gets rid of their originals. */
export class Copies {
  constructor(
    private readonly options: CopiesOptions,
    private readonly holding: Holding,
  ) {}

  /**
   * True once the copy is confirmed; its original is then acked, or will be delivered again.
   *
   * @param result what that is to the batch that it is a job of; undefined if the job has not ended
   * @throws what keeps this copy, and no other, from being published, now or later
   */
  async publishThenAck(work: Work, first: OutgoingMessage, result?: JobResult): Promise<boolean> {
    let copy = first;
    if (hasLost(work, first)) this.warnOfDropped(work, first);
    const publish = async () => {
      for (;;) {
        try {
          return await this.options.session.publish(copy);
        } catch (error) {
          const lighter = error instanceof InvalidMessageError ? lightened(copy) : undefined;
          if (!lighter) throw error;
          this.warnOfDropped(work, lighter, error);
          copy = lighter;
        }
      }
    };
    const about = { what: 'a retry or dead letter', exchange: first.exchange };
    if (!(await this.holding.publish(work, publish, about, isOwnFault))) return false;
    const job = result && jobOf(work.received);
    if (job && !(await this.report(work, job, result))) return false;
    // Dying here leaves the copy and the original.
    work.received.delivery.ack();
    return true;
  }

  /** As a dead letter with all that it had; if that can't be published, as the least one; at last by the broker's own hand. */
  async bury(work: Work, givenUp: GivenUp): Promise<boolean> {
    const { names, publishDeadlineMs, log } = this.options;
    const { received } = work;
    const about = { queue: received.delivery.queue, messageId: received.messageId };
    for (const form of [deadLetter, leastLetter]) {
      try {
        const letter = form(names, received, givenUp, publishDeadlineMs);
        return await this.publishThenAck(work, letter, 'failed');
      } catch (error) {
        log.warn({ ...about, error }, 'a dead letter cannot be published as it is: it takes another form');
      }
    }
    return this.surrender(work);
  }

  /**
   * The broker dead-letters it itself, without our account of why. It would drop it if nothing were declared for that: not before
   * its dead-letter queue is there.
   */
  private async surrender(work: Work): Promise<boolean> {
    const { session, queueOf, log } = this.options;
    const { delivery, messageId } = work.received;
    const dead = deadQueueOf(queueOf(work.lane));
    log.error(
      { queue: delivery.queue, messageId, dead },
      'a dead letter cannot be published in any form: the broker moves the message itself, without the reason',
    );
    const look = async () => {
      if (await session.inspect(dead)) return;
      throw new TopologyError(
        `queue '${dead}'`,
        `there is no queue '${dead}'`,
        'Start a bus that declares it.',
      );
    };
    if (!(await this.holding.publish(work, look, { what: 'a dead letter' }, () => false))) return false;
    const job = jobOf(work.received);
    if (job && !(await this.report(work, job, 'failed'))) return false;
    return delivery.reject();
  }

  /** True once its batch knows what has become of it, and what that has led to is sent. */
  report(work: Work, job: BatchPlace, result: JobResult): Promise<boolean> {
    const { batches } = this.options;
    const tell = () => batches.report(job, result);
    const what = 'the end of a job of a batch, or what that decides,';
    return this.holding.publish(work, tell, { what }, () => false);
  }

  private warnOfDropped({ received }: Work, { properties }: OutgoingMessage, error?: unknown): void {
    this.options.log.warn(
      {
        queue: received.delivery.queue,
        messageId: received.messageId,
        dropped: properties.headers?.[HEADER.dropped],
        ...(error === undefined ? {} : { error }),
      },
      "what a message came with doesn't fit beside what is added: some of it is left out of the copy that travels on",
    );
  }
}

/** Whether properties of it could not be written again. */
function hasLost({ received }: Work, { properties }: OutgoingMessage): boolean {
  const dropped = properties.headers?.[HEADER.dropped];
  return dropped !== undefined && dropped !== received.delivery.properties.headers[HEADER.dropped];
}
