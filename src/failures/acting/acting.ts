import { ConnectError, OutcomeUnknownError, PublishTimeoutError, StoppedError } from '../../errors.js';
import type { Delivery, Session } from '../../transport/transport.js';
import type { DeadLetter, DeadLetterSummary } from '../letters/dead-letter.js';
import { readLetter } from '../letters/read-letter.js';
import type { FailuresSettings, Progress } from '../options.js';
import { walk } from '../reading/walk.js';
import { WalkInterrupted } from '../reading/walk-interrupted.js';
import type { Ack } from '../reading/walk-options.js';
import type { Pace } from './pace.js';
import type { PassResult, Search } from './search.js';

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
  /** False for a letter that is left alone although it has the id of one that is meant. @default true */
  isMeant?(letter: DeadLetter): boolean;
}

/** Acts on one dead letter, which is acked when this resolves. If it throws, the letter stays in its queue. */
export type Act = (letter: DeadLetter) => Promise<void>;

/** Actions under way at once. More would not be faster: the broker confirms in batches of about this size. */
const AT_ONCE = 200;

/** Errors that say that the broker is gone, and nothing about the letter. */
const NOBODY_ANSWERS = [PublishTimeoutError, OutcomeUnknownError, StoppedError, ConnectError];

/** True for an error that says that nobody answers: what was under way can go on when the broker is back. */
export const isBrokerGone = (error: unknown): boolean => NOBODY_ANSWERS.some((kind) => error instanceof kind);

/** Interrupted passes in a row without any progress, after which the action is given up. */
const MOST_IDLE_WALKS = 3;

/** Key of a letter: its queue and id. Copies in one queue have the same key, and are counted. */
const keyOf = ({ deadQueue, id }: Pick<DeadLetterSummary, 'deadQueue' | 'id'>): string =>
  `${deadQueue}\n${id}`;

/** Passes through the queues once more, and acts on exactly the dead letters that were listed. */
export class Acting {
  /** Copies that are still to be dealt with. */
  private readonly open = new Tally();
  /** Copies that are dealt with, but whose channel was lost before the ack: the broker delivers them again. */
  private readonly unacked = new Tally();
  private readonly failed: FailedLetter[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private total = 0;
  private done = 0;
  private fatal: Error | undefined;

  constructor(
    private readonly session: Session,
    private readonly settings: FailuresSettings,
    private readonly act: Act,
    private readonly options: ActingOptions,
  ) {}

  async on(wanted: readonly Pick<DeadLetterSummary, 'id' | 'deadQueue'>[]): Promise<ActResult> {
    this.total = wanted.length;
    for (const letter of wanted) this.open.add(keyOf(letter));
    for (const queue of new Set(wanted.map(({ deadQueue }) => deadQueue))) await this.goThrough(queue);
    const isStopped = this.options.signal?.aborted === true;
    const { done, failed, open } = this;
    return { done, failed, gone: isStopped ? 0 : open.size, left: isStopped ? open.size : 0 };
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
        const seen = await this.walk(queue);
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

  private async isToGoOn(queue: string, result: PassResult): Promise<boolean> {
    const { search, signal } = this.options;
    if (!search || signal?.aborted || !this.open.has((key) => key.startsWith(`${queue}\n`))) return false;
    return search.again(queue, result, signal);
  }

  /** @returns number of letters it has seen */
  private async walk(queue: string): Promise<number> {
    const { signal } = this.options;
    // A copy of the tally: a letter that is dealt with must not count against its duplicate, which is picked
    // later.
    const toPick = this.open.copy();
    const ending = new AbortController();
    const stop = () => ending.abort();
    if (signal?.aborted) return 0;
    let seen = 0;
    signal?.addEventListener('abort', stop, { once: true });
    try {
      seen = await walk<DeadLetter>(this.session, this.settings.transport.clock, {
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
    return seen;
  }

  private pick(delivery: Delivery, toPick: Tally): DeadLetter | undefined {
    const letter = readLetter(delivery, this.settings.names);
    const key = keyOf(letter);
    if (this.unacked.take(key)) {
      delivery.ack();
      return undefined;
    }
    if (this.options.isMeant?.(letter) === false) return undefined;
    return toPick.take(key) ? letter : undefined;
  }

  /** Resolves when the next letter may begin. */
  private async begin(letter: DeadLetter, ack: Ack, ending: AbortController): Promise<void> {
    const { act, options, underWay } = this;
    while (underWay.size >= AT_ONCE) await Promise.race(underWay);
    await options.pace?.turn(ending.signal);
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
    // A crash here leaves both the replay and the dead letter.
    if (!ack()) this.unacked.add(keyOf(letter));
    this.done += 1;
    this.dealtWith(letter);
  }

  private wentWrong(letter: DeadLetter, error: Error, ending: AbortController): void {
    if (isBrokerGone(error)) {
      // Every other letter would fail in the same way.
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

/** Counts per key. */
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

  has(isMeant: (key: string) => boolean): boolean {
    return [...this.counts.keys()].some(isMeant);
  }

  add(key: string): void {
    this.counts.set(key, this.of(key) + 1);
    this.size += 1;
  }

  /** Removes one; false if there is none. */
  take(key: string): boolean {
    const count = this.of(key);
    if (count === 0) return false;
    if (count === 1) this.counts.delete(key);
    else this.counts.set(key, count - 1);
    this.size -= 1;
    return true;
  }
}
