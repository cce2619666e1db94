/** Level of a line. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Levels of a logger, the gravest last. */
export const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** A line for a logger. */
export interface Line {
  readonly level: LogLevel;
  readonly fields: object;
  readonly message: string;
}

/** What has been counted of one kind since its last line. */
export interface Counted {
  readonly count: number;
  /** By fate. */
  readonly counts: Readonly<Record<string, number>>;
  /** Milliseconds in which it was counted. */
  readonly sinceMs: number;
  /** True if these are of several kinds, which have no sum of their own. */
  readonly isMixed: boolean;
}

/** How trouble is told of: one case, or a sum of such that are alike. */
export interface Wording<Trouble> {
  /** Key of what is summed in one line. */
  kindOf(trouble: Trouble): string;
  levelOf(trouble: Trouble): LogLevel;
  /** What is counted apart in a sum, in a field of this name; undefined if nothing is. */
  fateOf(trouble: Trouble): string | undefined;
  /** Fields of a line. They never contain the payload. */
  fieldsOf(trouble: Trouble): object;
  lineOf(trouble: Trouble): string;
  sumOf(last: Trouble, counted: Counted): string;
}

/** Line of a single case. */
export function lineOfOne<Trouble>(trouble: Trouble, wording: Wording<Trouble>): Line {
  return {
    level: wording.levelOf(trouble),
    fields: wording.fieldsOf(trouble),
    message: wording.lineOf(trouble),
  };
}

/**
 * Sum of trouble of one kind. The first case, and the first that is graver than all before it, have lines of their own; the
 * others are counted.
 */
export class Sum<Trouble> {
  private count = 0;
  private counts: Record<string, number> = {};
  private last: Trouble | undefined;
  /** Ranks of the gravest that has had a line, and of the gravest that is counted. */
  private told = -1;
  private gravest = -1;
  private isQuiet = false;

  /** @param isMixed true for what is of several kinds that have no sum of their own */
  constructor(
    private readonly wording: Wording<Trouble>,
    private readonly isMixed = false,
  ) {}

  /** Adds a case; returns its own line, if it gets one. */
  add(trouble: Trouble): Line | undefined {
    const { wording } = this;
    const rank = LEVELS.indexOf(wording.levelOf(trouble));
    this.isQuiet = false;
    if (rank > this.told) {
      this.told = rank;
      return lineOfOne(trouble, wording);
    }
    const fate = wording.fateOf(trouble);
    if (fate !== undefined) this.counts[fate] = (this.counts[fate] ?? 0) + 1;
    this.count += 1;
    this.gravest = Math.max(this.gravest, rank);
    this.last = trouble;
    return undefined;
  }

  /**
   * Line for what was counted since the last call: `handler 'Invoices' failed 812 times more in 10s (800
   * retried, 12 dead-lettered), the last time with Error: no such customer`.
   *
   * @param sinceMs milliseconds since the last call
   */
  take(sinceMs: number): Line | undefined {
    const { count, counts, last, gravest, wording, isMixed } = this;
    this.isQuiet = true;
    if (last === undefined) return undefined;
    this.count = 0;
    this.counts = {};
    this.last = undefined;
    this.gravest = -1;
    if (count === 1) return lineOfOne(last, wording);
    return {
      level: LEVELS[gravest] ?? 'error',
      fields: { ...wording.fieldsOf(last), count, ...counts },
      message: wording.sumOf(last, { count, counts, sinceMs, isMixed }),
    };
  }

  /** True if nothing was counted since the last call: the next case gets a line of its own again. */
  get isOver(): boolean {
    return this.isQuiet;
  }
}
