import { ConnectError, OutcomeUnknownError, PublishTimeoutError, StoppedError } from '../errors.js';
import type { Delivery, TransportSession } from '../transport/transport.js';
import type { DeadLetter, DeadLetterSummary } from './dead-letter.js';
import type { FailuresSettings, Progress } from './options.js';
import type { Pace } from './pace.js';
import { readLetter } from './read-letter.js';
import { walk } from './walk.js';
import { WalkInterrupted } from './walk-interrupted.js';
import type { Ack } from './walk-options.js';

/** What became of the dead letters that were meant. */
export interface ActResult {
  /** Replayed, or forgotten. */
  readonly done: number;
  /** These stay where they are. */
  readonly failed: readonly FailedLetter[];
  /** Were there when it began, and then not any more: somebody else was quicker. */
  readonly gone: number;
  /** Left, since the signal aborted. */
  readonly left: number;
}

export interface FailedLetter {
  readonly id: string;
  readonly deadQueue: string;
  readonly error: Error;
}

export interface ActingOptions {
  /** Each waits for its turn. */
  readonly pace: Pace;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** Does it to one dead letter, which is acked when this resolves. What it throws leaves the letter where it is. */
export type Act = (letter: DeadLetter) => Promise<void>;

/** How many are under way at once. More gain nothing: the broker confirms in batches of about this size. */
const AT_ONCE = 200;

/** With these it is the broker that is gone, not the letter that is at fault. */
const NOBODY_ANSWERS = [PublishTimeoutError, OutcomeUnknownError, StoppedError, ConnectError];

/** So many walks in a row may be interrupted before anything is done. */
const MOST_IDLE_WALKS = 3;

/** A letter's key: its queue matters, its copies in one queue are counted. */
const keyOf = ({ deadQueue, id }: Pick<DeadLetterSummary, 'deadQueue' | 'id'>): string =>
  `${deadQueue}\n${id}`;

/** Goes through the queues once more, and acts on exactly the dead letters that were listed. */
export class Acting {
  /** Copies still to be dealt with. */
  private readonly open = new Tally();
  /** Dealt with, but the channel went before the ack: the broker delivers them again. */
  private readonly unacked = new Tally();
  private readonly failed: FailedLetter[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private total = 0;
  private done = 0;
  private fatal: Error | undefined;

  constructor(
    private readonly session: TransportSession,
    private readonly settings: FailuresSettings,
    private readonly act: Act,
    private readonly options: ActingOptions,
  ) {}

  async on(wanted: readonly DeadLetterSummary[]): Promise<ActResult> {
    this.total = wanted.length;
    for (const letter of wanted) this.open.add(keyOf(letter));
    for (const queue of new Set(wanted.map(({ deadQueue }) => deadQueue))) await this.goThrough(queue);
    const isStopped = this.options.signal?.aborted === true;
    const { done, failed, open } = this;
    return { done, failed, gone: isStopped ? 0 : open.size, left: isStopped ? open.size : 0 };
  }

  /**
   * A channel that is lost on a living connection is no reason to stop: at a slow rate the broker's consumer timeout
   * (30 min unless set) closes those that hold what stays; and where a letter ends each connection, the others may not lie
   * yet as they were last seen. What is dealt with is not touched again.
   */
  private async goThrough(queue: string): Promise<void> {
    for (let idle = 0; ; ) {
      const before = this.done;
      try {
        await this.walk(queue);
        return;
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

  private async walk(queue: string): Promise<void> {
    const { signal } = this.options;
    // A copy: what is dealt with before its twin is picked must not count against the twin.
    const toPick = this.open.copy();
    const ending = new AbortController();
    const stop = () => ending.abort();
    if (signal?.aborted) return;
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await walk<DeadLetter>(this.session, this.settings.transport.clock, {
        queue,
        signal: ending.signal,
        pick: (delivery) => this.pick(delivery, toPick),
        act: (letter, ack) => this.begin(letter, ack, ending),
        finish: async () => void (await Promise.all(this.underWay)),
      });
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    if (this.fatal) throw this.fatal;
  }

  private pick(delivery: Delivery, toPick: Tally): DeadLetter | undefined {
    const letter = readLetter(delivery, this.settings.names);
    const key = keyOf(letter);
    if (this.unacked.take(key)) {
      delivery.ack();
      return undefined;
    }
    return toPick.take(key) ? letter : undefined;
  }

  /** Resolves when the next may begin. */
  private async begin(letter: DeadLetter, ack: Ack, ending: AbortController): Promise<void> {
    const { act, options, underWay } = this;
    while (underWay.size >= AT_ONCE) await Promise.race(underWay);
    await options.pace.turn(ending.signal);
    if (ending.signal.aborted) return;
    const acting = act(letter)
      .then(
        () => this.succeeded(letter, ack),
        (error) => this.wentWrong(letter, error, ending),
      )
      .finally(() => underWay.delete(acting));
    underWay.add(acting);
  }

  private succeeded(letter: DeadLetter, ack: Ack): void {
    // Dying here leaves the replay and the dead letter.
    if (!ack()) this.unacked.add(keyOf(letter));
    this.done += 1;
    this.dealtWith(letter);
  }

  private wentWrong(letter: DeadLetter, error: Error, ending: AbortController): void {
    if (NOBODY_ANSWERS.some((kind) => error instanceof kind)) {
      // No other would fare better.
      this.fatal ??= error;
      ending.abort();
      return;
    }
    this.failed.push({ id: letter.id, deadQueue: letter.deadQueue, error });
    this.dealtWith(letter);
  }

  private dealtWith(letter: DeadLetter): void {
    this.open.take(keyOf(letter));
    const { done, total } = this;
    this.options.onProgress?.({ done, failed: this.failed.length, total, letter });
  }
}

/** How many of each. */
class Tally {
  private counts = new Map<string, number>();
  size = 0;

  copy(): Tally {
    const copy = new Tally();
    copy.counts = new Map(this.counts);
    copy.size = this.size;
    return copy;
  }

  private of(key: string): number {
    return this.counts.get(key) ?? 0;
  }

  add(key: string): void {
    this.counts.set(key, this.of(key) + 1);
    this.size += 1;
  }

  /** One less; false if there is none. */
  take(key: string): boolean {
    const count = this.of(key);
    if (count === 0) return false;
    if (count === 1) this.counts.delete(key);
    else this.counts.set(key, count - 1);
    this.size -= 1;
    return true;
  }
}
