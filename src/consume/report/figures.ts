import { Histogram, type HistogramData } from '../../util/histogram.js';
import { type ErrorGroup, ErrorGroups } from './error-groups.js';
import { Slowest } from './slowest.js';

/** Length of a window. The recent figures cover the current window so far, and the whole one before it. */
const WINDOW_MS = 30_000;

/** Shortest time between two recorded waits: each needs the moment of publishing, which is parsed from the message's id. */
const RECORD_WAIT_EVERY_MS = 1;

/** Figures of one handler in this process. */
export interface HandlerFigures {
  readonly handler: string;
  readonly queue: string;
  /** Maximum run time of an attempt, in milliseconds. */
  readonly timeoutMs: number;
  /** Messages that it handles now. */
  readonly running: number;
  /** Counts since the bus was started: attempts that have ended, failed ones among them, of these the timed-out, and the outcomes. */
  readonly attempts: number;
  readonly failures: number;
  readonly timedOut: number;
  readonly retries: number;
  readonly deadLettered: number;
  /** Milliseconds that the figures below cover: the last 30 to 60 s, or less if the bus was started later. */
  readonly overMs: number;
  /** Attempts that have ended in that time, and failed ones among them. */
  readonly recent: number;
  readonly recentFailures: number;
  /** Run times of these attempts, in microseconds. */
  readonly runtime: HistogramData;
  /** Times from the publish to the start of the first attempt, in milliseconds; without delayed messages. */
  readonly wait: HistogramData;
  /** Errors of failed attempts by kind, the latest first: a few of them. */
  readonly errors: readonly ErrorGroup[];
}

/**
 * Counters of one handler. They are called for each message, so they allocate nothing, but for an error and for the slowest, and read no
 * clock.
 */
export class FiguresOfHandler {
  /** Attempts that have ended since the bus was started, and their run time in milliseconds, all together. */
  attempts = 0;
  busyMs = 0;
  readonly slowest: Slowest;
  private running = 0;
  private failures = 0;
  private timeouts = 0;
  private readonly errors = new ErrorGroups();
  private retries = 0;
  private deadLettered = 0;
  private waitRecordedAt = Number.NEGATIVE_INFINITY;
  private current = new Window();
  private last = new Window();
  private currentSince: number;
  private lastSince: number;

  constructor(
    private readonly handler: string,
    private readonly queue: string,
    private readonly timeoutMs: number,
    now: number,
  ) {
    this.currentSince = now;
    this.lastSince = now;
    this.slowest = new Slowest(now);
  }

  /** @param now in monotonic milliseconds, as everywhere here */
  began(now: number): void {
    this.running += 1;
    if (now - this.currentSince >= WINDOW_MS) this.turn(now);
  }

  ended(now: number, runtimeMs: number, isFailure: boolean): void {
    this.running -= 1;
    this.attempts += 1;
    this.busyMs += runtimeMs;
    if (now - this.currentSince >= WINDOW_MS) this.turn(now);
    this.current.ended += 1;
    this.current.runtime.record(runtimeMs * 1_000);
    if (!isFailure) return;
    this.failures += 1;
    this.current.failed += 1;
  }

  /** True if another wait is to be recorded now. */
  wantsWait(now: number): boolean {
    return now - this.waitRecordedAt >= RECORD_WAIT_EVERY_MS;
  }

  waited(now: number, waitMs: number): void {
    this.waitRecordedAt = now;
    this.current.wait.record(waitMs);
  }

  /** @param at wall-clock milliseconds */
  failedWith(error: unknown, at: number): void {
    this.errors.add(error, at);
  }

  timedOut(): void {
    this.timeouts += 1;
  }

  retried(): void {
    this.retries += 1;
  }

  gaveUp(): void {
    this.deadLettered += 1;
  }

  /** Median of the recent run times in milliseconds; undefined if no attempt has ended lately. */
  medianMs(now: number): number | undefined {
    this.turn(now);
    const median = Histogram.of([this.last.runtime.data, this.current.runtime.data]).percentile(0.5);
    return median === undefined ? undefined : median / 1_000;
  }

  read(now: number): HandlerFigures {
    this.turn(now);
    const { handler, queue, timeoutMs, running, attempts, failures, retries, deadLettered } = this;
    const { current, last, timeouts: timedOut } = this;
    return {
      handler,
      queue,
      timeoutMs,
      running,
      attempts,
      failures,
      timedOut,
      retries,
      deadLettered,
      overMs: now - this.lastSince,
      recent: current.ended + last.ended,
      recentFailures: current.failed + last.failed,
      runtime: Histogram.of([last.runtime.data, current.runtime.data]).data,
      wait: Histogram.of([last.wait.data, current.wait.data]).data,
      errors: this.errors.read(),
    };
  }

  /** Begins another window if the current one is over. */
  private turn(now: number): void {
    const age = now - this.currentSince;
    if (age < WINDOW_MS) return;
    this.slowest.turn(now);
    const freed = this.last;
    this.last = this.current;
    this.lastSince = this.currentSince;
    freed.clear();
    this.current = freed;
    this.currentSince += WINDOW_MS;
    if (age < 2 * WINDOW_MS) return;
    // Nothing happened for longer than a window: the one before it is too old for the recent figures.
    this.last.clear();
    this.lastSince = now - WINDOW_MS;
    this.currentSince = now;
  }
}

class Window {
  ended = 0;
  failed = 0;
  readonly runtime = new Histogram();
  readonly wait = new Histogram();

  clear(): void {
    this.ended = 0;
    this.failed = 0;
    this.runtime.clear();
    this.wait.clear();
  }
}
