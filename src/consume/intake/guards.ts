import { setMaxListeners } from 'node:events';
import { UnroutableError } from '../../errors.js';
import { AWAY_MS, roundMs } from '../../features/long/rounds.js';
import { MIN_DELAY_MS } from '../../message/delay-range.js';
import type { OutgoingMessage } from '../../message/message.js';
import { isOwnFault } from '../../pipeline/errors/final-errors.js';
import { type Received, receive } from '../../pipeline/received.js';
import type { LeaseState, LeaseStore } from '../../stores/leases.js';
import type { Names } from '../../topology/names.js';
import type { Consumer, Delivery, DeliverySink, Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import { pause } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { type Guard, guardIn, homeward, lastWays, roundAgain } from '../settle/guard-copies.js';

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

  constructor(private readonly options: GuardsOptions) {
    // All guards that are held wait for it: Node would take more than ten for a leak, and say so.
    setMaxListeners(0, this.stopping.signal);
  }

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

  /** Takes no more. It does not wait for what it is sending: a broker that takes nothing would keep the handlers from their end. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.consumer?.cancel();
  }

  /** Ends what it has. */
  async close(): Promise<void> {
    await Promise.all(this.underWay);
    await this.consumer?.close();
  }

  /** Never rejects. What can't go its way goes to the dead letters of its queue; what is no guard, to the queue of what is lost. */
  private async lookAfter(delivery: Delivery): Promise<void> {
    const { names, log, queue, clock, publishDeadlineMs, session } = this.options;
    const received = receive(delivery, names);
    const guard = guardIn(received);
    const about = { queue, home: guard?.home, messageId: received.messageId };
    if (!guard)
      log.error({ ...about, to: names.delayLost }, 'a message in the queue of guards is none: it is moved');
    const parts = { now: () => clock.now(), deadlineMs: publishDeadlineMs };
    const ways: ((why: unknown) => OutgoingMessage | undefined | Promise<OutgoingMessage | undefined>)[] = [
      ...(guard ? [() => this.next(received, guard)] : []),
      ...lastWays(received, guard?.home, parts),
    ];
    let why: unknown;
    for (let [way] = ways; way && !delivery.lost; [way] = ways) {
      try {
        const message = await way(why);
        if (message) await session.publish(message);
        delivery.ack();
        return;
      } catch (error) {
        if (isOwnFault(error) || error instanceof UnroutableError) {
          log.error({ ...about, error }, 'a guard can never be published as it is: it goes another way');
          why ??= error;
          ways.shift();
          continue;
        }
        log.warn({ ...about, error }, 'a guard can not be published: it is held, and tried again');
      }
      await pause(clock, HELD_MS, this.stopping.signal).catch(() => {});
      if (this.stopping.signal.aborted) {
        delivery.requeue();
        return;
      }
    }
    if (!delivery.lost)
      log.error(about, 'a guard can be published in no form: it stays until it is taken out');
  }

  /** Undefined if it has nothing more to do. */
  private async next(received: Received, guard: Guard): Promise<OutgoingMessage | undefined> {
    const { publishDeadlineMs: deadlineMs, log } = this.options;
    const state = await this.look(received, guard);
    if (typeof state === 'number') return roundAgain(received, guard, state, deadlineMs);
    const { crashes, releases, redelivered, messageId, follows } = received;
    const back = { delayMs: MIN_DELAY_MS, deadlineMs };
    // Another attempt's, which its own comes after: what has become of that says nothing of this one.
    if (guard.lease === follows) return homeward(received, guard, {}, back);
    if (state === 'done' && redelivered) return undefined;
    // Whoever has given it back has not died of it.
    const isCrash = state === 'free' && redelivered;
    // One that came for the first time is another message than the one whose lease it has met.
    const changed = state === 'done' ? { releases: releases + 1 } : isCrash ? { crashes: crashes + 1 } : {};
    if (isCrash)
      log.warn(
        { queue: guard.home, messageId, crashes: crashes + 1 },
        'the lease of a job is over, and it was not done: it runs again',
      );
    return homeward(received, guard, changed, back);
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
