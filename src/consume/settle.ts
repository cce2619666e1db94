import { InvalidMessageError } from '../errors.js';
import { HEADER } from '../message/headers.js';
import type { OutgoingMessage } from '../message/message.js';
import type { Names } from '../topology/names.js';
import type { TransportSession } from '../transport/transport.js';
import { Backoff } from '../util/backoff.js';
import { type Clock, pause } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import type { AttemptEvents } from './attempt-events.js';
import type { Work } from './concurrency.js';
import { COME_BACK_SOON, type Outcome } from './outcome.js';
import { PackItem } from './pack.js';
import { deadLetter, delayedCopy, lightened } from './republish.js';

export interface SettlerOptions {
  readonly names: Names;
  readonly session: TransportSession;
  readonly clock: Clock;
  readonly events: AttemptEvents;
  readonly log: Logger;
  readonly publishDeadlineMs: number;
  /** Aborts when the bus gives up waiting for a publish that can't be made. */
  readonly giveUp: AbortSignal;
  /** Told when a publish can't be made and its delivery is held, and when that is over. */
  onHold(error: unknown): void;
  onRelease(): void;
}

/**
 * Acts on outcomes. Nothing else acks or requeues.
 *
 * Whatever travels on is confirmed before its original is acked. If the process dies between the two, the message
 * exists twice: a duplicate, never a loss.
 */
export class Settler {
  /** Aborts when a channel is gone: what is held for it need not be held any more. */
  private channelLost = new AbortController();

  constructor(private readonly options: SettlerOptions) {}

  /** A channel is gone, and with it what it had delivered. */
  lost(): void {
    this.channelLost.abort();
    this.channelLost = new AbortController();
  }

  /** Acts on it at once, or returns a promise of when that is done, or can't be any more because the channel is gone. */
  settle(work: Work, outcome: Outcome): Promise<void> | undefined {
    const { delivery } = work.received;
    // The broker delivers it again; a copy of ours beside that would be a duplicate made on purpose.
    if (delivery.lost) return undefined;
    switch (outcome.kind) {
      case 'done':
        delivery.ack();
        return undefined;
      case 'discard':
        delivery.ack();
        this.options.events.discarded(work);
        return undefined;
      case 'requeue':
        // What is done of a pack must not come again: what is left of it travels on alone.
        if (delivery instanceof PackItem) return this.comeBack(work, COME_BACK_SOON);
        delivery.requeue();
        return undefined;
      case 'retry':
      case 'release':
        return this.comeBack(work, outcome);
      case 'dead-letter':
        return this.giveUp(work, outcome);
    }
  }

  private async comeBack(
    work: Work,
    outcome: Extract<Outcome, { kind: 'retry' | 'release' }>,
  ): Promise<void> {
    const { received } = work;
    const { names, clock, events, publishDeadlineMs } = this.options;
    const isRetry = outcome.kind === 'retry';
    const next = {
      attempt: received.attempt + (isRetry ? 1 : 0),
      exceptions: received.exceptions,
      releases: received.releases + (isRetry ? 0 : 1),
      firstAttemptAt: received.firstAttemptAt ?? clock.now(),
      unhandledSince: !isRetry && outcome.unhandled ? (received.unhandledSince ?? clock.now()) : undefined,
    };
    const copy = delayedCopy(names, received, outcome.delayMs, next, publishDeadlineMs);
    if (!(await this.publishThenAck(work, copy))) return;
    if (isRetry) events.retried(work, outcome.delayMs, outcome.error);
    else events.released(work, outcome.delayMs);
  }

  private async giveUp(work: Work, outcome: Extract<Outcome, { kind: 'dead-letter' }>): Promise<void> {
    const { received } = work;
    const { names, clock, events, publishDeadlineMs } = this.options;
    const { reason, error, failedError } = outcome;
    const failedAt = clock.now();
    const givenUp = {
      reason,
      error,
      failedError,
      failedAt,
      firstAttemptAt: received.firstAttemptAt ?? failedAt,
    };
    const letter = deadLetter(names, received, givenUp, publishDeadlineMs);
    if (await this.publishThenAck(work, letter)) events.deadLettered(work, reason, error);
  }

  /** True once the copy is confirmed; its original is then acked, or will be delivered again. */
  private async publishThenAck(work: Work, copy: OutgoingMessage): Promise<boolean> {
    if (!(await this.publishOrHold(work, copy))) return false;
    // Dying here leaves the copy and the original.
    work.received.delivery.ack();
    return true;
  }

  /**
   * Publishes, and if that can't be done now, keeps the delivery un-acked and tries again with backoff. It is never
   * requeued for that: the handler would run again at once, and the delivery limit would be charged for it.
   */
  private async publishOrHold(work: Work, first: OutgoingMessage): Promise<boolean> {
    let copy = first;
    const { session, clock, giveUp, log, onHold, onRelease } = this.options;
    const { delivery } = work.received;
    const backoff = new Backoff({ firstMs: 500, maxMs: 30_000 });
    let held = false;
    try {
      while (!delivery.lost && !giveUp.aborted) {
        try {
          await session.publish(copy);
          return true;
        } catch (error) {
          const lighter = error instanceof InvalidMessageError ? lightened(copy) : undefined;
          if (lighter) {
            this.warnOfDropped(work, lighter, error);
            copy = lighter;
            continue;
          }
          if (!held) onHold(error);
          held = true;
          const pauseMs = backoff.next();
          log.warn(
            {
              queue: delivery.queue,
              messageId: work.received.messageId,
              exchange: copy.exchange,
              pauseMs,
              error,
            },
            'a retry or dead letter cannot be published: its message is held and the queue paused until it can',
          );
          // A channel that went during the publish has been told of already.
          if (delivery.lost) break;
          const over = AbortSignal.any([giveUp, this.channelLost.signal]);
          await pause(clock, pauseMs, over).catch(() => {});
        }
      }
      return false;
    } finally {
      if (held) onRelease();
    }
  }

  private warnOfDropped({ received }: Work, { properties }: OutgoingMessage, error: unknown): void {
    this.options.log.warn(
      {
        queue: received.delivery.queue,
        messageId: received.messageId,
        dropped: properties.headers?.[HEADER.dropped],
        error,
      },
      "a message's headers leave no room for ours: its largest are left out of the copy that travels on",
    );
  }
}
