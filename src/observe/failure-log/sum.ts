import { formatMs } from '../../util/duration.js';
import { briefly, type Failure, type Fate, fieldsOf, levelOf, lineOf, whoFailed } from './failure.js';

/** A line for a logger. */
export interface Line {
  readonly level: 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** Line of a single failure. */
export function lineOfOne(failure: Failure): Line {
  return { level: levelOf(failure.fate), fields: fieldsOf(failure), message: lineOf(failure) };
}

/**
 * Sum of failures of one kind. The first failure and the first dead letter have lines of their own; the others
 * are counted.
 */
export class Sum {
  private count = 0;
  private counts: Partial<Record<Fate, number>> = {};
  private last: Failure | undefined;
  private isKnown = false;
  private hasDeadLetter = false;
  private isQuiet = false;

  /** @param isMixed true for failures of several handlers and error classes that have no sum of their own */
  constructor(private readonly isMixed = false) {}

  /** Adds a failure; returns its own line, if it gets one. */
  add(failure: Failure): Line | undefined {
    const { fate } = failure;
    const isFirst = !this.isKnown || (fate === 'deadLettered' && !this.hasDeadLetter);
    this.isKnown = true;
    this.isQuiet = false;
    this.hasDeadLetter ||= fate === 'deadLettered';
    if (isFirst) return lineOfOne(failure);
    this.count += 1;
    this.counts[fate] = (this.counts[fate] ?? 0) + 1;
    this.last = failure;
    return undefined;
  }

  /**
   * Line for the failures counted since the last call: `handler 'Invoices' failed 812 times more in 10s (800
   * retried, 12 dead-lettered), the last time with Error: no such customer`.
   *
   * @param sinceMs milliseconds since the last call
   */
  take(sinceMs: number): Line | undefined {
    const { count, counts, last } = this;
    this.isQuiet = true;
    if (!last) return undefined;
    this.count = 0;
    this.counts = {};
    this.last = undefined;
    if (count === 1) return lineOfOne(last);
    const became = becameText(counts);
    const message = this.isMixed
      ? `${count} failures of other kinds in ${formatMs(sinceMs)} (${became}), the last: ${lineOf(last)}`
      : `${whoFailed(last)} failed ${count} times more in ${formatMs(sinceMs)} (${became}), the last time with ${briefly(last)}`;
    return {
      level: counts.deadLettered === undefined ? 'warn' : 'error',
      fields: { ...fieldsOf(last), count, ...counts },
      message,
    };
  }

  /** True if nothing was counted since the last call: the next failure gets a line of its own again. */
  get isOver(): boolean {
    return this.isQuiet;
  }
}

const WORDS: Readonly<Record<Fate, string>> = {
  retried: 'retried',
  discarded: 'discarded',
  deadLettered: 'dead-lettered',
};

/** Example: `800 retried, 12 dead-lettered` */
function becameText(counts: Partial<Record<Fate, number>>): string {
  const fates = (Object.keys(WORDS) as Fate[]).filter((fate) => counts[fate] !== undefined);
  return fates.map((fate) => `${counts[fate]} ${WORDS[fate]}`).join(', ');
}
