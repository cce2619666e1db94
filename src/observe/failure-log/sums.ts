import type { Clock, Timer } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { inRootContext } from '../../util/root-context.js';
import { type Line, lineOfOne, Sum, type Wording } from './sum.js';

export interface SumSettings {
  readonly log: Logger;
  readonly clock: Clock;
  /** Milliseconds between two sums; 0 writes a line for each case. */
  readonly everyMs: number;
}

/** Limit, since an error's name may be anything, for instance if it was made from another service's JSON. */
const MOST_KINDS = 1_000;

/**
 * Writes lines of trouble. The first case of a kind is written at once; later ones are summed in one line per interval, until
 * an interval passes without any. So what fails ten thousand times a second writes a line every ten seconds, and what fails
 * now and then a line each time.
 */
export class Sums<Trouble> {
  private readonly sums = new Map<string, Sum<Trouble>>();
  private timer: Timer | undefined;
  private summedAt = 0;

  constructor(
    private readonly wording: Wording<Trouble>,
    private readonly settings: SumSettings,
  ) {}

  add(trouble: Trouble): void {
    if (this.settings.everyMs === 0) {
      this.write(lineOfOne(trouble, this.wording));
      return;
    }
    this.write(this.sumOf(trouble).add(trouble));
    if (!this.timer) this.sumLater();
  }

  /** The counts so far are written before their time. */
  end(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.writeSums();
    this.sums.clear();
  }

  private sumOf(trouble: Trouble): Sum<Trouble> {
    const own = this.wording.kindOf(trouble);
    const isMixed = this.sums.size >= MOST_KINDS && !this.sums.has(own);
    const kind = isMixed ? 'others' : own;
    let sum = this.sums.get(kind);
    if (!sum) {
      sum = new Sum(this.wording, isMixed);
      this.sums.set(kind, sum);
    }
    return sum;
  }

  private sumLater(): void {
    const { clock, everyMs } = this.settings;
    this.summedAt = clock.monotonic();
    const sum = () => {
      this.timer = undefined;
      this.writeSums();
      if (this.sums.size > 0) this.sumLater();
    };
    this.timer = inRootContext(() => clock.setTimer(sum, everyMs));
  }

  private writeSums(): void {
    const sinceMs = this.settings.clock.monotonic() - this.summedAt;
    for (const [kind, sum] of this.sums) {
      if (sum.isOver) this.sums.delete(kind);
      else this.write(sum.take(sinceMs));
    }
  }

  private write(line: Line | undefined): void {
    if (line) this.settings.log[line.level](line.fields, line.message);
  }
}
