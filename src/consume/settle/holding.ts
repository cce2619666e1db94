import type { Effect, EndedOtherwise } from '../../pipeline/outcome.js';
import type { Work } from '../../pipeline/work.js';
import { Backoff } from '../../util/backoff.js';
import { type Clock, pause } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';

export interface HoldingOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the bus no longer waits for what can't be stored. */
  readonly giveUp: AbortSignal;
  /** Called when an effect can't be stored and its delivery is held, and when that is over. */
  onHold(error: unknown): void;
  onRelease(): void;
}

/** End of an effect: stored, given up as `onError` has said, or `unreached` because the channel is lost or the bus stops. */
export type Stored = 'stored' | 'unreached' | 'without' | EndedOtherwise;

/** Stores what deliveries become, and holds a delivery un-acked while that can't be done. */
export class Holding {
  /** Aborts when a channel is lost: deliveries of that channel are no longer held. */
  private channelLost = new AbortController();

  constructor(private readonly options: HoldingOptions) {}

  /** Ends the holding of deliveries whose channel is lost. */
  lost(): void {
    this.channelLost.abort();
    this.channelLost = new AbortController();
  }

  /**
   * Runs an effect, and if that can't be stored now, keeps the delivery un-acked and tries again with backoff. It is never
   * requeued for that: the handler would run again at once, and the delivery limit would be charged for it. Never rejects.
   */
  async store(work: Work, effect: Effect): Promise<Stored> {
    const { delivery, messageId } = work.received;
    const { clock, giveUp, log, onHold, onRelease } = this.options;
    let backoff: Backoff | undefined;
    let held = false;
    try {
      while (!work.isGone) {
        try {
          await effect.run();
          return 'stored';
        } catch (error) {
          const instead = effect.onError?.(error);
          if (instead !== undefined) return instead;
          // Once nobody waits any more, an effect is tried only once.
          if (giveUp.aborted) break;
          if (!held && !effect.isOfStore) {
            onHold(error);
            held = true;
          }
          backoff ??= new Backoff({ firstMs: 500, maxMs: 30_000 });
          const pauseMs = Math.min(backoff.next(), effect.leftMs ?? Number.POSITIVE_INFINITY);
          log.warn(
            { queue: delivery.queue, messageId, ...effect.about, pauseMs, error },
            effect.isOfStore
              ? `${effect.what} cannot be stored: its message is held until it can`
              : `${effect.what} cannot be published: its message is held and the queue paused until it can`,
          );
          // A channel that went meanwhile has been reported already.
          if (work.isGone) break;
          const over = AbortSignal.any([giveUp, this.channelLost.signal]);
          await pause(clock, pauseMs, over).catch(() => {});
          if (giveUp.aborted) return effect.onError?.(error) ?? 'unreached';
        }
      }
      return 'unreached';
    } finally {
      if (held) onRelease();
    }
  }
}
