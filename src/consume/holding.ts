import type { TransportSession } from '../transport/transport.js';
import { Backoff } from '../util/backoff.js';
import { type Clock, pause } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import type { Work } from './work.js';

export interface HoldingOptions {
  readonly session: TransportSession;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the bus gives up waiting for a publish that can't be made. */
  readonly giveUp: AbortSignal;
  /** Told when a publish can't be made and its delivery is held, and when that is over. */
  onHold(error: unknown): void;
  onRelease(): void;
}

/** Publishes what deliveries become, and holds a delivery un-acked while that can't be done. */
export class Holding {
  /** Aborts when a channel is gone: what is held for it need not be held any more. */
  private channelLost = new AbortController();

  constructor(private readonly options: HoldingOptions) {}

  /** A channel is gone, and with it what it had delivered. */
  lost(): void {
    this.channelLost.abort();
    this.channelLost = new AbortController();
  }

  /**
   * Publishes, and if that can't be done now, keeps the delivery un-acked and tries again with backoff. It is never
   * requeued for that: the handler would run again at once, and the delivery limit would be charged for it.
   *
   * @param about what it is, for the log
   * @param isHopeless for which error it is not tried again, but thrown
   * @returns false if there is nothing more to be done, because the channel is gone or the bus stops
   */
  async publish(
    { received: { delivery, messageId } }: Work,
    publish: () => Promise<unknown>,
    { what, ...about }: { what: string; exchange?: string; key?: string },
    isHopeless: (error: unknown) => boolean,
  ): Promise<boolean> {
    const { clock, giveUp, log, onHold, onRelease } = this.options;
    const backoff = new Backoff({ firstMs: 500, maxMs: 30_000 });
    let held = false;
    try {
      while (!delivery.lost && !giveUp.aborted) {
        try {
          await publish();
          return true;
        } catch (error) {
          if (isHopeless(error)) throw error;
          if (!held) onHold(error);
          held = true;
          const pauseMs = backoff.next();
          log.warn(
            { queue: delivery.queue, messageId, ...about, pauseMs, error },
            `${what} cannot be published: its message is held and the queue paused until it can`,
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
}
