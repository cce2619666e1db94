import { HoplineError } from '../../errors.js';
import type { Failures } from '../../failures/failures.js';
import type { TrashedLetter } from '../../failures/options.js';
import type { OneAtATime } from '../../failures/reading/one-at-a-time.js';
import type { Names } from '../../topology/names.js';
import { type Clock, pause } from '../../util/clock.js';
import { reasonText } from '../../util/error-text.js';

export interface TrashRead {
  /** As of the last pass; undefined before the first has ended. */
  readonly letters: readonly TrashedLetter[] | undefined;
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
const WAIT_MS = 1_000;

/** Reads the trash for the pages, for all who look at once: each time means a pass through all that is there. */
export class TrashReader {
  private letters: readonly TrashedLetter[] | undefined;
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
    const { letters, readAt, problem } = this;
    return { letters, readAt, problem };
  }

  /** Called by what has moved letters into or out of it. */
  changed(): void {
    this.until = Number.NEGATIVE_INFINITY;
  }

  private async pass(): Promise<void> {
    const { clock } = this.options;
    try {
      const failures = await this.options.failures();
      this.letters = await failures.turns.run(this.options.names.trash, () => failures.trash());
      this.problem = undefined;
    } catch (error) {
      const help = error instanceof HoplineError ? ` ${error.help}` : '';
      this.problem = `${reasonText(error)}.${help}`;
    } finally {
      this.readAt = clock.now();
      this.until = clock.monotonic() + STANDS_MS;
      this.reading = undefined;
    }
  }
}
