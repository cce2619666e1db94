import type { Failures } from '../../failures/failures.js';
import type { TrashedLetter } from '../../failures/options.js';
import type { OneAtATime } from '../../failures/reading/one-at-a-time.js';
import type { Names } from '../../topology/names.js';
import { type Clock, pause } from '../../util/clock.js';
import { problemText } from './problem-text.js';

export interface TrashRead {
  /** Those that were forgotten last, a thousand at most, the latest at the end. As of the last pass; undefined before the first has ended. */
  readonly letters: readonly TrashedLetter[] | undefined;
  /** All that are there. */
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly readAt: number | undefined;
  readonly problem: string | undefined;
}

export interface TrashReaderOptions {
  readonly clock: Clock;
  readonly names: Pick<Names, 'trash'>;
  failures(): Promise<Pick<Failures, 'trash'> & { readonly turns: Pick<OneAtATime, 'run'> }>;
}

const STANDS_MS = 30_000;
/** A pass through many letters is worth a longer rest: reading must not be what the broker does most of the time. */
const RESTS = 20;
const LONGEST_REST_MS = 10 * 60_000;
const MOST_KEPT = 1_000;
const WAIT_MS = 1_000;

/** Reads the trash for the pages, for all who look at once: each time means a pass through all that is there. */
export class TrashReader {
  private letters: readonly TrashedLetter[] | undefined;
  private count = 0;
  private readAt: number | undefined;
  private problem: string | undefined;
  private until = Number.NEGATIVE_INFINITY;
  private reading: Promise<void> | undefined;

  constructor(private readonly options: TrashReaderOptions) {}

  /** What the last pass has found; waits a moment for one that is due. Never rejects. */
  async read(): Promise<TrashRead> {
    const { clock } = this.options;
    if (clock.monotonic() >= this.until) {
      this.reading ??= this.pass();
      const waiting = new AbortController();
      await Promise.race([this.reading, pause(clock, WAIT_MS, waiting.signal).catch(() => {})]);
      waiting.abort();
    }
    return this.known();
  }

  /** What is there now, after a pass of its own. Never rejects. */
  async readNow(): Promise<TrashRead> {
    // One that is under way may have passed what has changed since.
    await this.reading;
    this.reading ??= this.pass();
    await this.reading;
    return this.known();
  }

  private known(): TrashRead {
    const { letters, count, readAt, problem } = this;
    return { letters, count, readAt, problem };
  }

  /** Called by what has moved letters into or out of it. */
  changed(): void {
    this.until = Number.NEGATIVE_INFINITY;
  }

  private async pass(): Promise<void> {
    const { clock } = this.options;
    const began = clock.monotonic();
    try {
      const failures = await this.options.failures();
      const letters = await failures.turns.run(this.options.names.trash, () => failures.trash());
      this.letters = letters.slice(-MOST_KEPT);
      this.count = letters.length;
      this.problem = undefined;
    } catch (error) {
      this.problem = problemText(error);
    } finally {
      this.readAt = clock.now();
      const rest = Math.min(RESTS * (clock.monotonic() - began), LONGEST_REST_MS);
      this.until = clock.monotonic() + Math.max(STANDS_MS, rest);
      this.reading = undefined;
    }
  }
}
