import type { Delivery, Session } from '../../transport/transport.js';
import type { DeadLetter, DeadLetterSummary } from '../letters/dead-letter.js';
import { readLetter } from '../letters/read-letter.js';
import { unreadableIn } from '../letters/unreadable.js';
import type { FailuresSettings, Progress } from '../options.js';
import { countsOf } from '../reading/counts.js';
import { idsIn } from '../reading/ids-in.js';
import { missing } from '../reading/missing-queue.js';
import { areReturned } from '../reading/returned-letters.js';
import { walk } from '../reading/walk.js';
import { WalkInterrupted } from '../reading/walk-interrupted.js';
import type { Ack } from '../reading/walk-options.js';
import { isBrokerGone } from './broker-gone.js';
import { dealtWithAlready, LastAcked } from './last-acked.js';
import type { Pace } from './pace.js';
import type { PassResult, Search } from './search.js';
import { Tally } from './tally.js';
import { UnderWay } from './under-way.js';

/** Result of an action on the selected dead letters. */
export interface ActResult {
  /** Dead letters that were replayed or forgotten. */
  readonly done: number;
  /** Dead letters that could not be, and are still in their queue. */
  readonly failed: readonly FailedLetter[];
  /** Dead letters that were selected, but had left the queue before their turn: another consumer took them. */
  readonly gone: number;
  /** Dead letters that were left alone because the signal aborted. */
  readonly left: number;
}

export interface FailedLetter {
  readonly id: string;
  readonly deadQueue: string;
  readonly error: Error;
}

export interface ActingOptions {
  /** Limits the rate of the actions. @default as fast as the broker confirms */
  readonly pace?: Pick<Pace, 'turn'>;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
  /** Letters that a pass does not find are looked for again, as it decides. @default they are gone */
  readonly search?: Pick<Search, 'again'>;
  /** True if a letter may be dealt with twice, as one that is deleted. @default false */
  readonly mayRepeat?: boolean;
  /** False for a letter that is left alone although it has the id of one that is meant. @default true */
  isMeant?(letter: DeadLetter): boolean;
  /** True for what has come back since this action has dealt with it: it is left alone. @default none is */
  hasComeBack?(delivery: Delivery): boolean;
}

/** Acts on one dead letter, which is acked when this resolves. If it throws, the letter stays in its queue. */
export type Act = (letter: DeadLetter) => Promise<void>;

/** Interrupted passes in a row without any progress, after which the action is given up. */
const MOST_IDLE_WALKS = 3;

/** Key of a letter: its queue and id. Copies in one queue have the same key, and are counted. */
const keyOf = ({ deadQueue, id }: Pick<DeadLetterSummary, 'deadQueue' | 'id'>): string =>
  `${deadQueue}\n${id}`;

/** Passes through queues, and acts on dead letters: on exactly those that were listed, or on all. Made for one action. */
export class Acting {
  /** Copies that are still to be dealt with. */
  private readonly open = new Tally();
  /** Copies that are dealt with, but whose channel was lost before the ack: the broker delivers them again. */
  private readonly unacked = new Tally();
  /** Since the pass through all of a queue began. */
  private readonly lastAcked = new LastAcked();
  private readonly failed: FailedLetter[] = [];
  private readonly underWay = new UnderWay();
  private total = 0;
  private done = 0;
  private fatal: Error | undefined;

  constructor(
    private readonly session: Session,
    private readonly settings: FailuresSettings,
    private readonly act: Act,
    private readonly options: ActingOptions,
  ) {}

  /** Acts on these. */
  async on(wanted: readonly Pick<DeadLetterSummary, 'id' | 'deadQueue'>[]): Promise<ActResult> {
    this.total = wanted.length;
    for (const letter of wanted) this.open.add(keyOf(letter));
    for (const queue of new Set(wanted.map(({ deadQueue }) => deadQueue))) await this.goThrough(queue);
    return this.result(this.open.size);
  }

  /**
   * Acts on all that are in these queues when their turn comes, which needs no list of them. What another consumer takes away may leave
   * room for letters that have come since.
   *
   * @throws TopologyError, before anything is done, if a queue is missing
   */
  async onAll(queues: readonly string[]): Promise<ActResult> {
    const counts = new Map<string, number>();
    for (const { deadQueue, count } of await countsOf(this.session, queues)) {
      if (count === undefined) throw missing(deadQueue);
      counts.set(deadQueue, count);
      this.total += count;
    }
    let rest = 0;
    for (const [queue, count] of counts) rest += await this.goThroughAll(queue, count);
    return this.result(rest);
  }

  /** @param rest letters that were not dealt with */
  private result(rest: number): ActResult {
    const { done, failed } = this;
    const isStopped = this.options.signal?.aborted === true;
    return { done, failed, gone: isStopped ? 0 : rest, left: isStopped ? rest : 0 };
  }

  /**
   * Repeats the pass if a channel is lost on a living connection. At a slow rate the broker's consumer timeout
   * (30 min by default) closes the channels that hold the letters which stay; and where a letter ends each
   * connection, the others may have another order than before. Letters that are dealt with are not touched
   * again.
   */
  private async goThrough(queue: string): Promise<void> {
    for (let idle = 0; ; ) {
      const before = this.done;
      const open = this.open.size;
      try {
        // A copy of the tally: a letter that is dealt with must not count against its duplicate, which is picked
        // later.
        const toPick = this.open.copy();
        const seen = await this.walk(queue, (key) => toPick.take(key));
        if (!(await this.isToGoOn(queue, { seen, found: this.open.size < open }))) return;
        idle = 0;
      } catch (error) {
        if (this.fatal) throw this.fatal;
        idle = this.done === before ? idle + 1 : 0;
        if (!(error instanceof WalkInterrupted) || idle > MOST_IDLE_WALKS) throw error;
        await this.session.inspect(queue).catch(() => {
          throw error;
        });
      }
    }
  }

  /**
   * One pass, and no list, as long as nothing comes in between. After that the letters that are left are listed, which also tells apart
   * those that can't be read.
   *
   * @param count letters in the queue
   * @returns number of letters that were not dealt with
   */
  private async goThroughAll(queue: string, count: number): Promise<number> {
    const { session, settings } = this;
    const { clock } = settings.transport;
    const before = this.dealt;
    const openBefore = this.open.size;
    this.lastAcked.clear();
    const restOf = (all: number) => Math.max(0, all - (this.dealt - before));
    if (!unreadableIn(session, queue)) {
      const doneBefore = this.done;
      try {
        await this.walk(queue, () => true);
        return restOf(count);
      } catch (error) {
        if (this.fatal) throw this.fatal;
        if (!(error instanceof WalkInterrupted)) throw error;
        const ready = count - (this.done - doneBefore) + this.unacked.size;
        await areReturned(session, clock, { queue, ready, error });
      }
    }
    await this.openRest(queue);
    // The broker may not have given all back yet.
    const readable = count - (unreadableIn(session, queue)?.count ?? 0);
    const all = Math.max(readable, this.open.size - openBefore + (this.dealt - before));
    this.total += all - count;
    await this.goThrough(queue);
    return restOf(all);
  }

  /** Letters that were replayed, forgotten or refused. */
  private get dealt(): number {
    return this.done + this.failed.length;
  }

  /**
   * Opens what is in a queue, but for what was dealt with, and is there again or still. What may be there because its ack was lost stays
   * where it is, and counts as failed: a copy may have the same id.
   */
  private async openRest(queue: string): Promise<void> {
    const { session, settings, options, unacked, failed, open, lastAcked } = this;
    const ids = await idsIn(session, settings, queue, (delivery) => !options.hasComeBack?.(delivery));
    const dealtWith = unacked.copy();
    for (const letter of failed) dealtWith.add(keyOf(letter));
    const acked = new Tally(options.mayRepeat ? [] : lastAcked.keys);
    for (const id of ids) {
      const key = keyOf({ id, deadQueue: queue });
      if (dealtWith.take(key)) continue;
      if (acked.take(key)) failed.push({ id, deadQueue: queue, error: dealtWithAlready() });
      else open.add(key);
    }
  }

  private async isToGoOn(queue: string, result: PassResult): Promise<boolean> {
    const { search, signal } = this.options;
    if (!search || signal?.aborted || !this.open.has((key) => key.startsWith(`${queue}\n`))) return false;
    return search.again(queue, result, signal);
  }

  /**
   * @param takes decides by its key whether a letter is acted on
   * @returns number of letters it has seen
   */
  private async walk(queue: string, takes: (key: string) => boolean): Promise<number> {
    const { signal } = this.options;
    const ending = new AbortController();
    const stop = () => ending.abort();
    if (signal?.aborted) return 0;
    let seen = 0;
    signal?.addEventListener('abort', stop, { once: true });
    try {
      seen = await walk<DeadLetter>(this.session, this.settings.transport.clock, {
        queue,
        signal: ending.signal,
        pick: (delivery) => this.pick(delivery, takes),
        act: (letter, ack) => this.begin(letter, ack, ending),
        finish: () => this.underWay.over(),
      });
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    if (this.fatal) throw this.fatal;
    return seen;
  }

  private pick(delivery: Delivery, takes: (key: string) => boolean): DeadLetter | undefined {
    const { options } = this;
    // It has the id of a letter that may be here again because its ack was lost, and is another failure.
    if (options.hasComeBack?.(delivery)) return undefined;
    const letter = readLetter(delivery, this.settings.names);
    const key = keyOf(letter);
    if (this.unacked.take(key)) {
      delivery.ack();
      return undefined;
    }
    if (options.isMeant?.(letter) === false) return undefined;
    return takes(key) ? letter : undefined;
  }

  /** Resolves when the next letter may begin. */
  private async begin(letter: DeadLetter, ack: Ack, ending: AbortController): Promise<void> {
    const { act, options, underWay } = this;
    const { bytes } = letter;
    if (!underWay.hasRoomFor(bytes)) await underWay.roomFor(bytes);
    if (options.pace) await options.pace.turn(ending.signal);
    if (ending.signal.aborted) return;
    underWay.began(bytes);
    act(letter)
      .then(
        () => this.succeeded(letter, ack),
        (error) => this.wentWrong(letter, error, ending),
      )
      .catch((error) => this.giveUp(error, ending))
      .finally(() => underWay.ended(bytes));
  }

  private succeeded(letter: DeadLetter, ack: Ack): void {
    // A crash here leaves both the replay and the dead letter.
    const its = ack() ? this.lastAcked : this.unacked;
    its.add(keyOf(letter));
    this.done += 1;
    this.dealtWith(letter);
  }

  private wentWrong(letter: DeadLetter, error: Error, ending: AbortController): void {
    if (isBrokerGone(error)) {
      // Every other letter would fail in the same way.
      this.giveUp(error, ending);
      return;
    }
    this.failed.push({ id: letter.id, deadQueue: letter.deadQueue, error });
    this.dealtWith(letter);
  }

  private giveUp(error: Error, ending: AbortController): void {
    this.fatal ??= error;
    ending.abort();
  }

  private dealtWith(letter: DeadLetter): void {
    if (this.open.size > 0) this.open.take(keyOf(letter));
    const { done } = this;
    // Some may have come since they were counted.
    const total = Math.max(this.total, this.dealt);
    this.options.onProgress?.({ done, failed: this.failed.length, total, letter });
  }
}
