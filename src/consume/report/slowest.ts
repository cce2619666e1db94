import type { SlowOutcome, SlowStatus } from './messages.js';

/** Attempts that are kept of each window. */
const KEPT = 5;

/** Length of a window. What is read is of the current window so far, and of the whole one before it: of the last 2.5 to 5 minutes. */
const WINDOW_MS = 150_000;

export type SlowAttempt = Omit<SlowStatus, 'queue' | 'handler'>;

interface Kept extends Omit<SlowAttempt, 'outcome'> {
  outcome: SlowOutcome;
}

/** The slowest attempts of one handler. An attempt that is not among them costs its caller one comparison with {@link above}. */
export class Slowest {
  /** Run time in milliseconds above which an attempt is kept. */
  above = Number.NEGATIVE_INFINITY;
  private current: Kept[] = [];
  private last: readonly Kept[] = [];
  private since: number;

  /** @param now in monotonic milliseconds */
  constructor(now: number) {
    this.since = now;
  }

  keep(attempt: SlowAttempt): void {
    const kept = [...this.current, { ...attempt }].sort((left, right) => right.runMs - left.runMs);
    this.current = kept.slice(0, KEPT);
    if (this.current.length === KEPT) this.above = this.current.at(-1)?.runMs ?? this.above;
  }

  /** What has become of a message after an attempt, if that is kept. */
  became(messageId: string | undefined, attempt: number, outcome: SlowOutcome): void {
    if (messageId === undefined) return;
    const own = this.current.find((each) => each.messageId === messageId && each.attempt === attempt);
    if (own) own.outcome = outcome;
  }

  /** The slowest first. */
  read(now: number): SlowAttempt[] {
    this.turn(now);
    return [...this.current, ...this.last].sort((left, right) => right.runMs - left.runMs).slice(0, KEPT);
  }

  /** Begins another window if the current one is over; called now and then. */
  turn(now: number): void {
    const age = now - this.since;
    if (age < WINDOW_MS) return;
    this.last = age < 2 * WINDOW_MS ? this.current : [];
    this.current = [];
    this.above = Number.NEGATIVE_INFINITY;
    this.since = now;
  }
}
