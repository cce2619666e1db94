import { ConnectError, TopologyError } from '../errors.js';
import type { Consumer, Delivery, TransportSession } from '../transport/transport.js';
import { type Clock, pause } from '../util/clock.js';
import { type Deferred, deferred } from '../util/deferred.js';
import { forgetUnreadable, rememberUnreadable, unreadableIn } from './unreadable.js';

/*
 * How dead letters are looked at: taken un-acked, in order, and given back by closing the channels that hold them. The
 * broker puts each back in its old place. One nack for all would do the same with one call more to wait for.
 *
 * All of a queue is taken before any is given back, even if less would do. RabbitMQ has what was given back before in a
 * line of its own, and what is given back again goes to the end of that: of a queue that was looked at before, a part
 * that is taken alone comes back behind the rest. (So does what a killed process held; a thousand at the most.)
 *
 * While somebody looks, the letters that he holds are nobody else's: two who look at one queue at the same time see a
 * part each, and a consumer that runs on the queue takes what it gets. Nothing is lost by either.
 */

/** Takes the letter out of its queue for good. False if its channel is gone: it is back there, then. */
export type Ack = () => boolean;

export interface WalkOptions<T> {
  readonly queue: string;
  /** What to do with a letter; undefined leaves it where it is. Called as it comes: what it doesn't keep is forgotten. */
  pick(delivery: Delivery): T | undefined;
  /** Deals with what was picked, in order; the next waits until this resolves. Who settles later says so in `finish`. */
  act?(picked: T, ack: Ack): Promise<void>;
  /** Resolves when everything that `act` has begun is over. May be called again. */
  finish?(): Promise<void>;
  /** What was picked is forgotten: all comes again from the first. */
  again?(): void;
  /** Ends acting: the rest is passed over, and stays. */
  readonly signal?: AbortSignal | undefined;
}

/** The channels were lost while letters were held: they are back in their queue, and whoever walks may begin anew. */
export class WalkInterrupted extends ConnectError {
  constructor(queue: string, cause: Error) {
    super(
      `the connection was lost while the dead letters in '${queue}' were held; they are back in their queue`,
      'Run it again when the broker is back: what was replayed is not there any more, or comes a second time.',
      { cause },
    );
  }
}

/** Nothing came for so long: it is time to ask whether there is still something. */
const QUIET_MS = 250;
/** A queue that says it has messages and hands none out for this long. */
const STALLED_MS = 15_000;
/** How long what was given back may take to be there again. */
const GIVEN_BACK_MS = 2_000;

/**
 * Takes every letter that waits in a queue when it begins, once, and gives back what nobody acked. What arrives later is
 * not its concern, so a message that fails again while it is replayed is not replayed again.
 *
 * @returns how many letters it has seen
 * @throws TopologyError if there is no such queue
 * @throws WalkInterrupted, ConnectError
 */
export async function walk<T>(
  session: TransportSession,
  clock: Clock,
  options: WalkOptions<T>,
): Promise<number> {
  if (options.signal?.aborted) return 0;
  const state = await session.inspect(options.queue);
  if (!state) throw missing(options.queue);
  const around = new Around(session, clock, options, state.ready);
  return options.act ? around.act() : around.look();
}

/** How often the way around is tried: what was on its way when a connection was lost is not counted, and may mislead. */
const MOST_TURNS = 5;

/**
 * Goes around a letter that ends each connection over which it is delivered. What a lost connection had goes behind all
 * that was handed out before: so all is taken once, which ends the connection, and then no more than up to that letter,
 * which puts it last. After a look it is the first, since what was looked at goes behind it.
 */
class Around<T> {
  constructor(
    private readonly session: TransportSession,
    private readonly clock: Clock,
    private readonly options: WalkOptions<T>,
    private readonly ready: number,
  ) {}

  async look(): Promise<number> {
    const { session, ready } = this;
    const { queue, again } = this.options;
    forgetUnreadable(session, queue);
    const first = await this.attempt(ready, false);
    if (!first.error) return first.seen;
    // Once may be any loss.
    let { error } = first;
    for (let turn = 0; turn < MOST_TURNS; turn += 1) {
      const all = await this.attempt(ready, true);
      if (!all.error) return all.seen;
      error = all.error;
      const upToIt = await this.attempt(all.seen + 1, true);
      again?.();
      if (!upToIt.error) continue;
      const others = await this.attempt(ready - 1, true);
      if (others.error) continue;
      rememberUnreadable(session, { deadQueue: queue, waiting: ready, error });
      return others.seen;
    }
    throw error;
  }

  async act(): Promise<number> {
    const { session, clock, options, ready } = this;
    if (!unreadableIn(session, options.queue)) return new Walk(session, clock, options, ready).toEnd();
    // It is the first: alone it goes behind the others.
    const { error } = await this.attempt(1, true);
    const most = error ? ready - 1 : ready;
    return new Walk(session, clock, options, most, error !== undefined).toEnd();
  }

  /** Only looks, whatever is to be done. */
  private async attempt(
    most: number,
    isBounded: boolean,
  ): Promise<{ seen: number; error?: WalkInterrupted }> {
    const { session, clock, ready } = this;
    const { queue, pick, again, act } = this.options;
    const run = new Walk(session, clock, { queue, pick: act ? () => undefined : pick }, most, isBounded);
    try {
      return { seen: await run.toEnd() };
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      const interrupted = error instanceof WalkInterrupted ? error : new WalkInterrupted(queue, error);
      await areBack(session, clock, { queue, ready, error: interrupted });
      again?.();
      return { seen: run.seenCount, error: interrupted };
    }
  }
}

/** How long a connection that was lost is waited for. */
const BACK_UP_MS = 10_000;

/** Waits for the connection, and then a while for what was held over it. */
async function areBack(
  session: TransportSession,
  clock: Clock,
  { queue, ready, error }: { queue: string; ready: number; error: WalkInterrupted },
): Promise<void> {
  const endsAt = clock.monotonic() + BACK_UP_MS;
  for (let upSince: number | undefined; ; await pause(clock, 50)) {
    const state = await session.inspect(queue).catch(() => undefined);
    if (state) upSince ??= clock.monotonic();
    if (upSince !== undefined && clock.monotonic() - upSince > GIVEN_BACK_MS) return;
    if (state && state.ready >= ready) return;
    if (upSince === undefined && clock.monotonic() > endsAt) throw error;
  }
}

export function missing(queue: string): TopologyError {
  return new TopologyError(
    `queue '${queue}'`,
    `there is no queue '${queue}'`,
    'Look for a typing error, and at the vhost in the url; the queue is declared when its service starts first.',
  );
}

interface Page {
  consumer: Consumer | undefined;
  readonly prefetch: number;
  /** Delivered and not acked. */
  held: number;
}

interface Picked<T> {
  readonly value: T;
  readonly delivery: Delivery;
  readonly page: Page;
}

/**
 * How many letters one channel may hold of which some are picked: so many bodies are in memory. More of them are taken
 * by more channels, each of which holds its own.
 */
const ACTING_PAGE = 1_000;
/** The largest that AMQP has a number for. */
const MOST_PREFETCH = 65_535;
/** Where nobody acts no body is kept, and a page may be long. */
const PASSING_PAGE = 10_000;

class Walk<T> {
  private readonly pages: Page[] = [];
  private picked: Picked<T>[] = [];
  private seen = 0;
  private acked = 0;
  private lost: Error | undefined;
  private news: Deferred<void> = deferred();
  private isActing: boolean;
  private hasStopped = false;

  constructor(
    private readonly session: TransportSession,
    private readonly clock: Clock,
    private readonly options: WalkOptions<T>,
    private readonly total: number,
    /** Takes no more than these, ever: what comes behind them ends the connection. */
    private readonly isBounded = false,
  ) {
    this.isActing = options.act !== undefined;
  }

  get seenCount(): number {
    return this.seen;
  }

  async toEnd(): Promise<number> {
    if (this.total === 0) return 0;
    try {
      await this.openPage();
      await this.goThrough();
      await this.options.finish?.();
      if (this.lost) throw new WalkInterrupted(this.options.queue, this.lost);
    } finally {
      await this.giveBack();
    }
    return this.seen;
  }

  private async goThrough(): Promise<void> {
    const { act, signal } = this.options;
    let quietSince = this.clock.monotonic();
    while (!this.lost) {
      if (signal?.aborted) this.passOver();
      const isTaking = this.isBounded && this.seen < this.total && !this.isFull;
      const next = isTaking ? undefined : this.picked.shift();
      // Each ack would make room for the next one.
      if (this.isBounded && !isTaking) await this.stopTaking();
      if (next) {
        await act?.(next.value, () => this.ack(next));
        quietSince = this.clock.monotonic();
      } else if (this.seen >= this.total) {
        return;
      } else if (this.isFull) {
        // What is under way may yet make room.
        await this.options.finish?.();
        if (this.isFull) await this.openPage();
      } else if (await this.hears()) {
        quietSince = this.clock.monotonic();
      } else if (await this.isOver(quietSince)) {
        return;
      }
    }
  }

  /** The window is used up by letters that stay. */
  private get isFull(): boolean {
    return this.picked.length === 0 && this.page.held >= this.page.prefetch;
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
   * The old window is closed first: two that are open would be served in turn. It must be full: what is on its way to a
   * consumer that is cancelled, the broker takes back on its own, and puts it behind the rest.
   */
  private async openPage(): Promise<void> {
    await this.pages.at(-1)?.consumer?.cancel();
    if (this.seen >= this.total && this.pages.length > 0) return;
    const { queue } = this.options;
    const rest = Math.min(this.isBounded ? MOST_PREFETCH : PASSING_PAGE, this.total - this.seen);
    const prefetch = this.isActing && !this.isBounded ? ACTING_PAGE : rest;
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
    // What came to the queue after the walk began goes back untouched.
    if (this.seen >= this.total || this.lost) return;
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

  /** Waits for a delivery. False if none has come for a while. */
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

  /** Somebody else may have taken what was there when the walk began. */
  private async isOver(quietSince: number): Promise<boolean> {
    const { queue } = this.options;
    const state = await this.session.inspect(queue);
    if (!state) return true;
    if (this.picked.length > 0) return false;
    if (state.ready === 0) return true;
    if (this.clock.monotonic() - quietSince < STALLED_MS) return false;
    throw new ConnectError(
      `queue '${queue}' holds ${state.ready} messages and hands none out`,
      'Look whether it has a leader, and whether another consumer holds it alone.',
    );
  }

  /** All stop before any gives back: one that is still open would be handed what another returns. */
  private async giveBack(): Promise<void> {
    for (const { consumer } of this.pages) await consumer?.cancel();
    for (const { consumer } of this.pages) await consumer?.close();
    if (!this.lost) await this.isBack();
  }

  /** A queue takes a moment to have back what a closed channel held: who looks at once should find it there. */
  private async isBack(): Promise<void> {
    const { clock, session, options } = this;
    const endsAt = clock.monotonic() + GIVEN_BACK_MS;
    for (let pauseMs = 5; clock.monotonic() < endsAt; pauseMs *= 2) {
      const state = await session.inspect(options.queue).catch(() => undefined);
      if (!state || state.ready >= this.total - this.acked) return;
      await pause(clock, pauseMs);
    }
  }
}
