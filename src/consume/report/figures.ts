import { Histogram, type HistogramData } from '../../util/histogram.js';

/** What the figures of the last while are of: this window so far, and the whole one before it. */
const WINDOW_MS = 30_000;

/** Waits are looked at this often at most: the moment of publishing has to be read from the message's id. */
const LOOK_AT_WAITS_EVERY_MS = 1;

/** What one handler does in this process. */
export interface HandlerFigures {
  readonly handler: string;
  readonly queue: string;
  /** Messages that it handles now. */
  readonly running: number;
  /** Since the bus was started: attempts that have ended, those of them that failed, and what became of these. */
  readonly attempts: number;
  readonly failures: number;
  readonly retries: number;
  readonly deadLettered: number;
  /** Over how many milliseconds the figures below were taken: the last 30 to 60 s, or less if it has not run so long. */
  readonly overMs: number;
  /** Attempts that have ended in that time. */
  readonly recent: number;
  /** How long they ran, in microseconds. */
  readonly runtime: HistogramData;
  /** From publishing to the first attempt's begin, in milliseconds; of delayed messages nothing is counted. */
  readonly wait: HistogramData;
}

/** Counts what a handler does. Called for each message, so it makes nothing and asks for no time. */
export class FiguresOfHandler {
  /** Since the bus was started: attempts that have ended, and how long they ran, together. */
  attempts = 0;
  busyMs = 0;
  private running = 0;
  private failures = 0;
  private retries = 0;
  private deadLettered = 0;
  private waitLookedAt = Number.NEGATIVE_INFINITY;
  private current = new Window();
  private last = new Window();
  private currentSince: number;
  private lastSince: number;

  constructor(
    private readonly handler: string,
    private readonly queue: string,
    now: number,
  ) {
    this.currentSince = now;
    this.lastSince = now;
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
    if (isFailure) this.failures += 1;
    if (now - this.currentSince >= WINDOW_MS) this.turn(now);
    this.current.ended += 1;
    this.current.runtime.record(runtimeMs * 1_000);
  }

  /** Whether it is time to look at how long a message has waited. */
  wantsWait(now: number): boolean {
    return now - this.waitLookedAt >= LOOK_AT_WAITS_EVERY_MS;
  }

  waited(now: number, waitMs: number): void {
    this.waitLookedAt = now;
    this.current.wait.record(waitMs);
  }

  retried(): void {
    this.retries += 1;
  }

  gaveUp(): void {
    this.deadLettered += 1;
  }

  read(now: number): HandlerFigures {
    this.turn(now);
    const { handler, queue, running, attempts, failures, retries, deadLettered, current, last } = this;
    return {
      handler,
      queue,
      running,
      attempts,
      failures,
      retries,
      deadLettered,
      overMs: now - this.lastSince,
      recent: current.ended + last.ended,
      runtime: Histogram.of([last.runtime.data, current.runtime.data]).data,
      wait: Histogram.of([last.wait.data, current.wait.data]).data,
    };
  }

  /** Begins another window if this one is over. */
  private turn(now: number): void {
    const age = now - this.currentSince;
    if (age < WINDOW_MS) return;
    const freed = this.last;
    this.last = this.current;
    this.lastSince = this.currentSince;
    freed.clear();
    this.current = freed;
    this.currentSince += WINDOW_MS;
    if (age < 2 * WINDOW_MS) return;
    // Nothing happened for longer than a window: what there was before that is none of the last while.
    this.last.clear();
    this.lastSince = now - WINDOW_MS;
    this.currentSince = now;
  }
}

class Window {
  ended = 0;
  readonly runtime = new Histogram();
  readonly wait = new Histogram();

  clear(): void {
    this.ended = 0;
    this.runtime.clear();
    this.wait.clear();
  }
}
