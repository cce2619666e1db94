import { roundMs } from '../../features/long/rounds.js';
import { MIN_DELAY_MS } from '../../message/delay-range.js';
import { type Received, receive } from '../../pipeline/received.js';
import type { LeaseState, LeaseStore } from '../../stores/leases.js';
import type { Names } from '../../topology/names.js';
import type { Consumer, Delivery, DeliverySink, Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import { pause } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { type Guard, guardIn, homeward, roundAgain } from '../settle/guard-copies.js';

export interface GuardsOptions {
  readonly names: Names;
  readonly session: Pick<Session, 'publish' | 'consume'>;
  readonly leases: LeaseStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly publishDeadlineMs: number;
  /** Queue of the service's guards. */
  readonly queue: string;
}

/** Guards that are looked after at once. */
const PREFETCH = 20;

/** Nothing is known of a lease while its store is away. */
const AWAY_MS = 10_000;

/** Until a guard is looked after again that could not be published. */
const HELD_MS = 1_000;

/**
 * Looks after guards, those of all versions of its service: one whose lease is held goes round again, one whose lease is done has
 * nothing more to do, and one whose lease is over brings its message back to its queue. What it publishes is confirmed before the ack.
 */
export class Guards implements DeliverySink {
  private consumer: Consumer | undefined;
  private readonly stopping = new AbortController();
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly options: GuardsOptions) {}

  async start(): Promise<void> {
    const { session, queue } = this.options;
    this.consumer = await session.consume(queue, { prefetch: PREFETCH }, this);
  }

  deliver(delivery: Delivery): void {
    if (this.stopping.signal.aborted) {
      delivery.requeue();
      return;
    }
    const ending = this.lookAfter(delivery).finally(() => this.underWay.delete(ending));
    this.underWay.add(ending);
  }

  /** Those of the lost channel are delivered again. */
  lost(): void {}

  /** Takes no more, and ends what it has. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.consumer?.cancel();
    await Promise.all(this.underWay);
  }

  async close(): Promise<void> {
    await this.consumer?.close();
  }

  /** Never rejects. */
  private async lookAfter(delivery: Delivery): Promise<void> {
    const { names, log, queue, clock } = this.options;
    const received = receive(delivery, names);
    const guard = guardIn(received);
    if (!guard) {
      log.error(
        { queue, messageId: received.messageId },
        'a message in the queue of guards is none: it stays there until it is taken out',
      );
      return;
    }
    while (!delivery.lost) {
      try {
        await this.send(received, guard);
        delivery.ack();
        return;
      } catch (error) {
        log.warn(
          { queue, messageId: received.messageId, error },
          'a guard can not be published: it is held, and tried again',
        );
      }
      await pause(clock, HELD_MS, this.stopping.signal).catch(() => {});
      if (this.stopping.signal.aborted) {
        delivery.requeue();
        return;
      }
    }
  }

  private async send(received: Received, guard: Guard): Promise<void> {
    const { session, publishDeadlineMs: deadlineMs, log } = this.options;
    const state = await this.look(received, guard);
    if (typeof state === 'number') {
      await session.publish(roundAgain(received, guard, state, deadlineMs));
      return;
    }
    const { crashes, releases, redelivered, messageId } = received;
    if (state === 'done' && redelivered) return;
    const back = { delayMs: MIN_DELAY_MS, deadlineMs };
    // Whoever has given it back has not died of it.
    const isCrash = state === 'free' && redelivered;
    // One that came for the first time is another message than the one whose lease it has met.
    const changed = state === 'done' ? { releases: releases + 1 } : isCrash ? { crashes: crashes + 1 } : {};
    if (isCrash)
      log.warn(
        { queue: guard.home, messageId, crashes: crashes + 1 },
        'the lease of a job is over, and it was not done: it runs again',
      );
    await session.publish(homeward(received, guard, changed, back));
  }

  /** Milliseconds of its next round, or what has become of its lease. A guard whose store is away never runs. */
  private async look(received: Received, { lease, home }: Guard): Promise<LeaseState> {
    const { leases, log } = this.options;
    try {
      const state = await leases.look(lease);
      return typeof state === 'number' ? roundMs(state) : state;
    } catch (error) {
      const { messageId } = received;
      log.warn({ queue: home, messageId, error }, 'a lease could not be looked at: its guard goes round');
      return AWAY_MS;
    }
  }
}
