import { formatMs } from '../../util/duration.js';
import { briefly, type Failure, type Fate, fieldsOf, levelOf, lineOf, whoFailed } from './failure.js';

/** A line, as a logger takes it. */
export interface Line {
  readonly level: 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** The line of one failure alone. */
export function lineOfOne(failure: Failure): Line {
  return { level: levelOf(failure.fate), fields: fieldsOf(failure), message: lineOf(failure) };
}

/** Failures of one kind: the first has a line of its own, and so has the first dead letter. The others are counted. */
export class Sum {
  private count = 0;
  private counts: Partial<Record<Fate, number>> = {};
  private last: Failure | undefined;
  private isKnown = false;
  private hasDeadLetter = false;
  private isQuiet = false;

  /** @param isMixed it counts what has no sum of its own any more: of several handlers, and classes of errors */
  constructor(private readonly isMixed = false) {}

  /** Its own line, if it is to have one. */
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
   * What has been counted since it was last asked, as one line: `handler 'Invoices' failed 812 times more in 10s (800 retried,
   * 12 dead-lettered), the last time with Error: no such customer`.
   *
   * @param sinceMs how long ago that was
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

  /** Nothing has come since it was last asked: the next one is a first one again. */
  get isOver(): boolean {
    return this.isQuiet;
  }
}

const WORDS: Readonly<Record<Fate, string>> = {
  retried: 'retried',
  discarded: 'discarded',
  deadLettered: 'dead-lettered',
};

/** `800 retried, 12 dead-lettered` */
function becameText(counts: Partial<Record<Fate, number>>): string {
  const fates = (Object.keys(WORDS) as Fate[]).filter((fate) => counts[fate] !== undefined);
  return fates.map((fate) => `${counts[fate]} ${WORDS[fate]}`).join(', ');
}
