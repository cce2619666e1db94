import type { Failures } from '../../failures/failures.js';
import type { DeadLetter } from '../../failures/letters/dead-letter.js';
import type { OneAtATime } from '../../failures/reading/one-at-a-time.js';
import { type Clock, pause } from '../../util/clock.js';
import { type Copies, LetterCache } from './letter-cache.js';
import { problemText } from './problem-text.js';

/** What a page has of a letter that it wants to show whole. */
export type LetterRead =
  | { readonly state: 'read'; readonly copies: Copies }
  /** A pass is under way, or waits for one that is; ask again. */
  | { readonly state: 'reading' }
  /** The last pass did not find it. */
  | { readonly state: 'gone' }
  | { readonly state: 'failed'; readonly problem: string };

export interface LetterAsked {
  readonly deadQueue: string;
  readonly id: string;
  /** When it failed by the index, in milliseconds since 1970: a letter that was read before it failed anew is read again. */
  readonly failedAt?: number | undefined;
  /** Time to wait for it. @default 300 */
  readonly waitMs?: number;
  /** Ids of the same queue that are likely to be asked for next: they come along, since a pass sees all letters anyway. */
  readonly along?: readonly string[];
}

/** What reads, and whoever else of this process holds letters takes turns with it. */
export type ReadsLetters = Pick<Failures, 'read'> & { readonly turns: Pick<OneAtATime, 'run'> };

export interface LetterReaderOptions {
  readonly clock: Clock;
  failures(): Promise<ReadsLetters>;
  /** @default 20 MiB */
  readonly cacheBytes?: number;
}

const CACHE_BYTES = 20 * 1024 * 1024;
const WAIT_MS = 300;
/** Time for which the answer of a pass stands, also that there is no such letter: asking again means a pass through the whole queue. */
const STANDS_MS = 10_000;
/** Ids that come along with one. */
const MOST_ALONG = 100;

interface Said {
  readonly until: number;
  /** For a letter that failed then. */
  readonly failedAt: number | undefined;
  /** What was read is in the cache alone. */
  readonly read: { readonly state: 'read' } | Exclude<LetterRead, { readonly state: 'read' | 'reading' }>;
}

type Wanted = Map<string, number | undefined>;

interface Pass {
  /** Ids, with the time of failure that is wanted. */
  readonly wanted: Wanted;
  readonly over: Promise<void>;
}

/**
 * Reads single dead letters for the pages. Finding one means a pass through all letters of its queue, seconds if they are tens of
 * thousands: so a page is answered after a moment with what the index has, one pass reads for all who wait, and what was read is kept.
 */
export class LetterReader {
  private readonly cache: LetterCache;
  private readonly waiting = new Map<string, Pass>();
  /** What the last passes have said; `read` stands for what the cache has. */
  private readonly said = new Map<string, Said>();

  constructor(private readonly options: LetterReaderOptions) {
    this.cache = new LetterCache(options.cacheBytes ?? CACHE_BYTES);
  }

  /** Never rejects. */
  async read({ deadQueue, id, failedAt, waitMs = WAIT_MS, along = [] }: LetterAsked): Promise<LetterRead> {
    const found = this.known(deadQueue, id, failedAt);
    if (found) return found;
    const wanted: Wanted = new Map([[id, failedAt]]);
    for (const each of along.slice(0, MOST_ALONG))
      if (each !== id && !this.cache.has(deadQueue, each)) wanted.set(each, undefined);
    const over = this.pass(deadQueue, wanted);
    await this.within(waitMs, over);
    return this.known(deadQueue, id, failedAt) ?? { state: 'reading' };
  }

  /** A letter that was read lately, also if it is not there any more. */
  kept({ deadQueue, id }: Pick<LetterAsked, 'deadQueue' | 'id'>): Copies | undefined {
    return this.cache.get(deadQueue, id);
  }

  /** Drops what is known of letters that were acted on. */
  forget(deadQueue: string, ids: readonly string[]): void {
    for (const id of ids) {
      this.cache.forget(deadQueue, id);
      this.said.delete(keyOf(deadQueue, id));
    }
  }

  private known(deadQueue: string, id: string, failedAt: number | undefined): LetterRead | undefined {
    const said = this.said.get(keyOf(deadQueue, id));
    const stands =
      said?.failedAt === failedAt && said !== undefined && said.until > this.options.clock.monotonic();
    if (stands && said.read.state !== 'read') return said.read;
    const copies = this.cache.get(deadQueue, id);
    const isLatest = failedAt === undefined || copies?.some((each) => each.failedAt?.getTime() === failedAt);
    return copies && (stands || isLatest) ? { state: 'read', copies } : undefined;
  }

  /** Joins the pass that waits for its turn, or asks for one. */
  private pass(deadQueue: string, wanted: Wanted): Promise<void> {
    const next = this.waiting.get(deadQueue);
    if (next) {
      for (const [id, failedAt] of wanted) next.wanted.set(id, failedAt ?? next.wanted.get(id));
      return next.over;
    }
    const over = this.through(deadQueue, wanted);
    this.waiting.set(deadQueue, { wanted, over });
    return over;
  }

  private async through(deadQueue: string, wanted: Wanted): Promise<void> {
    // Whoever comes from here on has to wait for another pass.
    const begin = () => this.waiting.delete(deadQueue);
    try {
      const failures = await this.options.failures();
      const letters = await failures.turns.run(deadQueue, () => {
        begin();
        return failures.read(deadQueue, wanted.keys());
      });
      this.keep(deadQueue, wanted, letters);
    } catch (error) {
      begin();
      const problem = problemText(error);
      for (const [id, failedAt] of wanted) this.say(deadQueue, id, failedAt, { state: 'failed', problem });
    }
  }

  private keep(deadQueue: string, wanted: Wanted, letters: readonly DeadLetter[]): void {
    const found = new Map<string, DeadLetter[]>();
    for (const letter of letters) found.set(letter.id, [...(found.get(letter.id) ?? []), letter]);
    for (const [id, failedAt] of wanted) {
      const copies = found.get(id);
      if (copies) this.cache.set(deadQueue, id, copies);
      else this.cache.forget(deadQueue, id);
      this.say(deadQueue, id, failedAt, { state: copies ? 'read' : 'gone' });
    }
  }

  private say(deadQueue: string, id: string, failedAt: number | undefined, read: Said['read']): void {
    const now = this.options.clock.monotonic();
    for (const [key, { until }] of this.said) if (until <= now) this.said.delete(key);
    this.said.set(keyOf(deadQueue, id), { until: now + STANDS_MS, failedAt, read });
  }

  private async within(ms: number, over: Promise<void>): Promise<void> {
    const waiting = new AbortController();
    const later = pause(this.options.clock, ms, waiting.signal).catch(() => {});
    await Promise.race([over, later]);
    waiting.abort();
  }
}

const keyOf = (deadQueue: string, id: string): string => `${deadQueue}\n${id}`;
