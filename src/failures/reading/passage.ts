import { ConnectError } from '../../errors.js';
import type { Consumer, Delivery, Session } from '../../transport/transport.js';
import { type Clock, pause } from '../../util/clock.js';
import { type Deferred, deferred } from '../../util/deferred.js';
import { RETURNED_WITHIN_MS } from './returned-letters.js';
import { WalkInterrupted } from './walk-interrupted.js';
import type { WalkOptions } from './walk-options.js';

/** Time without a delivery after which the queue is asked whether it is empty. */
const QUIET_MS = 250;
/** Time after which a queue that reports messages and delivers none counts as stalled. */
const STALLED_MS = 15_000;
interface Page {
  consumer: Consumer | undefined;
  readonly prefetch: number;
  /** Deliveries that are not acked. */
  held: number;
}

interface Picked<T> {
  readonly value: T;
  readonly delivery: Delivery;
  readonly page: Page;
}

/**
 * Letters that one channel may hold if some are picked, which bounds the bodies in memory. For more letters
 * more channels are opened, each of which holds its own.
 */
const ACTING_PAGE = 1_000;
/** Largest prefetch that AMQP's field can hold. */
export const MOST_PREFETCH = 65_535;
/** Letters that one channel may hold if none is picked: no body is kept. */
const PASSING_PAGE = 10_000;

/** Number of letters that a pass takes. */
export interface Extent {
  /** Letters to take. */
  readonly most: number;
  /** Never takes more than `most`: a letter behind them ends the connection. @default false */
  readonly isBounded?: boolean;
  /** Letters in the queue when all that this pass has held are back, and none was acked. */
  readonly waiting: number;
}

/** One pass through a queue: takes the given number of letters, and gives back those that were not acked. */
export class Passage<T> {
  private readonly pages: Page[] = [];
  private picked: Picked<T>[] = [];
  private seen = 0;
  private acked = 0;
  private lost: Error | undefined;
  private news: Deferred<void> = deferred();
  private isActing: boolean;
  private hasStopped = false;

  constructor(
    private readonly session: Session,
    private readonly clock: Clock,
    private readonly options: WalkOptions<T>,
    private readonly extent: Extent,
  ) {
    this.isActing = options.act !== undefined;
  }

  get seenCount(): number {
    return this.seen;
  }

  /** @returns the number of letters it has seen */
  async toEnd(): Promise<number> {
    try {
      return await this.through();
    } finally {
      await this.giveBack();
    }
  }

  /** Takes the letters and holds them: the caller gives them back. */
  async through(): Promise<number> {
    if (this.extent.most === 0) return 0;
    await this.openPage();
    await this.goThrough();
    await this.options.finish?.();
    if (this.lost) throw new WalkInterrupted(this.options.queue, this.lost);
    return this.seen;
  }

  private async goThrough(): Promise<void> {
    const { act, signal } = this.options;
    let quietSince = this.clock.monotonic();
    while (!this.lost) {
      if (signal?.aborted) this.passOver();
      const isTaking = this.extent.isBounded && this.seen < this.extent.most;
      const next = isTaking ? undefined : this.picked.shift();
      // Each ack would let the broker deliver the next letter.
      if (this.extent.isBounded && !isTaking) await this.stopTaking();
      if (next) {
        await act?.(next.value, () => this.ack(next));
        quietSince = this.clock.monotonic();
      } else if (this.seen >= this.extent.most) {
        return;
      } else if (this.isFull) {
        // An action under way may still make room.
        await this.options.finish?.();
        if (this.isFull) await this.openPage();
      } else if (await this.hears()) {
        quietSince = this.clock.monotonic();
      } else if (await this.isOver(quietSince)) {
        return;
      }
    }
  }

  /** True if letters that stay use up the prefetch. A bounded pass acts on none before it has taken all. */
  private get isFull(): boolean {
    const mayMakeRoom = !this.extent.isBounded && this.picked.length > 0;
    return !mayMakeRoom && this.page.held >= this.page.prefetch;
  }

  private async stopTaking(): Promise<void> {
    if (this.hasStopped) return;
    this.hasStopped = true;
    await this.page.consumer?.cancel();
  }

  private passOver(): void {
    this.isActing = false;
    this.picked = [];
  }

  private get page(): Page {
    return this.pages.at(-1) as Page;
  }

  /**
   * The old window is closed first, since two open windows are served in turn. It must be full: deliveries on
   * their way to a consumer that is cancelled go back by the broker's hand, behind the others.
   */
  private async openPage(): Promise<void> {
    await this.pages.at(-1)?.consumer?.cancel();
    if (this.seen >= this.extent.most && this.pages.length > 0) return;
    const { queue } = this.options;
    const rest = Math.min(this.extent.isBounded ? MOST_PREFETCH : PASSING_PAGE, this.extent.most - this.seen);
    const prefetch = this.isActing && !this.extent.isBounded ? ACTING_PAGE : rest;
    const page: Page = { consumer: undefined, prefetch, held: 0 };
    this.pages.push(page);
    const lost = (reason: Error) => {
      this.lost ??= reason;
      this.news.resolve();
    };
    const deliver = (delivery: Delivery) => this.take(delivery, page);
    page.consumer = await this.session.consume(queue, { prefetch, once: true }, { deliver, lost });
  }

  private take(delivery: Delivery, page: Page): void {
    // Letters that arrived after the pass began go back untouched.
    if (this.seen >= this.extent.most || this.lost) return;
    this.seen += 1;
    page.held += 1;
    const value = this.options.pick(delivery);
    if (value !== undefined && this.isActing) this.picked.push({ value, delivery, page });
    this.news.resolve();
  }

  private ack({ delivery, page }: Picked<T>): boolean {
    if (!delivery.ack()) return false;
    this.acked += 1;
    page.held -= 1;
    return true;
  }

  /** Waits for a delivery. False if none came for a while. */
  private async hears(): Promise<boolean> {
    const waiting = new AbortController();
    const quiet = pause(this.clock, QUIET_MS, waiting.signal).then(
      () => false,
      () => false,
    );
    const heard = await Promise.race([this.news.promise.then(() => true), quiet]);
    waiting.abort();
    if (heard) this.news = deferred();
    return heard;
  }

  /** Another consumer may have taken letters that were there when the pass began. */
  private async isOver(quietSince: number): Promise<boolean> {
    const { queue } = this.options;
    const state = await this.session.inspect(queue);
    if (!state) return true;
    if (this.picked.length > 0) return false;
    if (state.ready === 0) return true;
    if (this.clock.monotonic() - quietSince < STALLED_MS) return false;
    throw new ConnectError(
      `queue '${queue}' holds ${state.ready} messages and delivers none`,
      'Check whether it has a leader, and whether another consumer has it exclusively.',
    );
  }

  /**
   * All consumers stop before any gives back: one that still consumes would get what another returns. Each channel's letters are
   * back before the next is closed: the broker takes back those of two that it closes at once in any order.
   */
  async giveBack(): Promise<void> {
    for (const { consumer } of this.pages) await consumer?.cancel();
    let held = this.pages.reduce((sum, page) => sum + page.held, 0);
    let mayWait = !this.lost;
    for (const page of this.pages) {
      await page.consumer?.close();
      held -= page.held;
      if (mayWait) mayWait = await this.areBack(this.extent.waiting - this.acked - held);
    }
  }

  /**
   * Waits until the queue holds so many letters again: it needs a moment to take back those of a closed channel, and a caller that
   * reads again at once must find them. False if it does not hold them in time: others have taken some.
   */
  private async areBack(waiting: number): Promise<boolean> {
    const { clock, session, options } = this;
    const endsAt = clock.monotonic() + RETURNED_WITHIN_MS;
    for (let pauseMs = 5; clock.monotonic() < endsAt; pauseMs *= 2) {
      const state = await session.inspect(options.queue).catch(() => undefined);
      if (!state || state.ready >= waiting) return true;
      await pause(clock, pauseMs);
    }
    return false;
  }
}
