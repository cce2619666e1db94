import { ConnectError, UnreadableLettersError } from '../../errors.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import { forgetUnreadable, rememberUnreadable, unreadableIn } from '../letters/unreadable.js';
import { type Extent, MOST_PREFETCH, Passage } from './passage.js';
import { areReturned } from './returned-letters.js';
import { separateUnreadable, type Taken } from './separate-unreadable.js';
import { WalkInterrupted } from './walk-interrupted.js';
import type { WalkOptions } from './walk-options.js';

/** Maximum new beginnings if another connection is lost in between. */
const MOST_TURNS = 3;

interface Attempt extends Taken {
  readonly error?: WalkInterrupted | undefined;
}

/**
 * Passes by letters that end each connection over which they are delivered. After they are separated from the
 * others, they are first in the queue. Each is then taken alone, which moves it to the end, and after that no
 * more letters are taken than there are others, which go behind them.
 */
export class AroundUnreadable<T> {
  constructor(
    private readonly session: Session,
    private readonly clock: Clock,
    private readonly options: WalkOptions<T>,
    private readonly ready: number,
  ) {}

  async look(): Promise<number> {
    const { session, ready, options } = this;
    const known = unreadableIn(session, options.queue);
    if (known?.waiting === ready) {
      const seen = await this.others(known.count);
      if (seen !== undefined) return seen;
    }
    forgetUnreadable(session, options.queue);
    const { error, seen } = await this.attempt(ready, false);
    return error ? this.lookAround() : seen;
  }

  async act(): Promise<number> {
    const { session, clock, options, ready } = this;
    for (let turn = 0; ; turn += 1) {
      const known = unreadableIn(session, options.queue);
      if (!known) {
        const { isBounded = false } = options;
        return new Passage(session, clock, options, { most: ready, isBounded, waiting: ready }).toEnd();
      }
      // Letters that arrived since then are behind these.
      const most = Math.max(0, Math.min(ready, known.waiting) - known.count);
      if (await this.areFirst(known.count))
        return new Passage(session, clock, options, { most, isBounded: true, waiting: ready }).toEnd();
      if (turn === MOST_TURNS) throw new WalkInterrupted(options.queue, known.error as Error);
      // Another program has read the queue, or moved letters.
      forgetUnreadable(session, options.queue);
      await this.look();
    }
  }

  /** Called after a first loss, which may have any cause. */
  private async lookAround(): Promise<number> {
    const { session, options, ready } = this;
    const { queue } = options;
    for (let turn = 1; ; turn += 1) {
      // After all letters were delivered once, the queue behaves like a ring.
      const { error, seen } = await this.attempt(ready);
      if (!error) return seen;
      if (ready > MOST_PREFETCH)
        throw new UnreadableLettersError(
          queue,
          `one of the ${ready} dead letters in '${queue}' ends each connection over which it is delivered, and in a queue of more than ${MOST_PREFETCH} it can't be bypassed`,
          error,
        );
      const count = await this.part(seen, error);
      const others = await this.others(count);
      if (others !== undefined) {
        if (count > 0) rememberUnreadable(session, { deadQueue: queue, count, waiting: ready, error });
        return others;
      }
      if (turn === MOST_TURNS) throw error;
    }
  }

  /** @returns the number of letters that end their connection; they are first in the queue now */
  private async part(hint: number, cause: WalkInterrupted): Promise<number> {
    const { session, clock, options, ready } = this;
    const { queue } = options;
    const held: Passage<T>[] = [];
    let left = ready;
    const hold = async (count: number) => {
      // When this one is given back, the other letters are still held.
      const passage = this.passage({ most: count, isBounded: true, waiting: count }, false);
      const taken = await this.take(passage, left, true);
      if (!taken.error) {
        held.push(passage);
        left -= taken.seen;
      }
      return taken;
    };
    const turn = async (count: number) =>
      void (await this.take(
        this.passage({ most: count, isBounded: true, waiting: left }, false),
        left,
        false,
      ));
    try {
      return await separateUnreadable({ hold, turn }, queue, ready, hint);
    } finally {
      for (const passage of held) await passage.giveBack();
      await areReturned(session, clock, { queue, ready, error: cause });
    }
  }

  /**
   * Reads all but the first `count` letters. Undefined if these first ones are not exactly those that end their
   * connections.
   */
  private async others(count: number): Promise<number | undefined> {
    if (!(await this.areFirst(count))) return undefined;
    const { error, seen } = await this.attempt(this.ready - count);
    return error ? undefined : seen;
  }

  /**
   * True if each of the first `count` letters ends its connection; they are last in the queue now, unless one
   * doesn't.
   */
  private async areFirst(count: number): Promise<boolean> {
    for (let each = 0; each < count; each += 1) {
      const one = this.passage({ most: 1, isBounded: true, waiting: this.ready }, false);
      const { error } = await this.take(one, this.ready, false);
      if (!error) return false;
    }
    return true;
  }

  /** One pass that only reads; its results are dropped if it fails. */
  private async attempt(most: number, isBounded = true): Promise<Attempt> {
    const passage = this.passage({ most, isBounded, waiting: this.ready }, true);
    const taken = await this.take(passage, this.ready, false);
    if (taken.error) this.options.again?.();
    return taken;
  }

  /** @param ready number of letters in the queue once those of a lost connection are back */
  private async take(passage: Passage<T>, ready: number, holds: boolean): Promise<Attempt> {
    const { session, clock, options } = this;
    const { queue } = options;
    try {
      return { seen: holds ? await passage.through() : await passage.toEnd() };
    } catch (error) {
      if (holds) await passage.giveBack();
      if (!(error instanceof ConnectError)) throw error;
      const interrupted = error instanceof WalkInterrupted ? error : new WalkInterrupted(queue, error);
      await areReturned(session, clock, { queue, ready, error: interrupted });
      return { seen: passage.seenCount, error: interrupted };
    }
  }

  /** Only reads, whatever the caller's action is. */
  private passage(extent: Extent, picks: boolean): Passage<T> {
    const { queue, pick, act } = this.options;
    const looks = { queue, pick: picks && !act ? pick : () => undefined };
    return new Passage(this.session, this.clock, looks, extent);
  }
}
