import type { Clock, Timer } from '../util/clock.js';

/** Turns of the event loop without any use of the clock after which the current instant counts as finished. */
const QUIET_TURNS = 8;

/** More turns than any test needs in one instant: the limit for a loop that waits for no timer. */
const MAX_TURNS = 200_000;

class ManualTimer implements Timer {
  constructor(
    private readonly clock: ManualClock,
    readonly task: () => void,
    readonly dueAt: number,
    readonly order: number,
  ) {}

  /** True if this timer is due later, or was armed later for the same moment. */
  isAfter(other: ManualTimer): boolean {
    return this.dueAt > other.dueAt || (this.dueAt === other.dueAt && this.order > other.order);
  }

  cancel(): void {
    this.clock.disarm(this);
  }
}

/**
 * A clock that stands still until a test moves it, so that days of backoff take milliseconds.
 *
 * While time stands still, work goes on: promises continue, setImmediate runs. `advance` moves to the next
 * timer only when that work has come to rest, so that a cascade (a message expires, is delivered, handled,
 * retried after a delay) happens in the order of virtual time. Work is at rest when the clock was not read and
 * no timer was armed for some turns of the event loop; real I/O without a timer is not waited for.
 */
export class ManualClock implements Clock {
  private elapsedMs = 0;
  /** Earliest first; at the same moment, in the order of arming. */
  private readonly timers: ManualTimer[] = [];
  private armedEver = 0;
  private looks = 0;
  private running: Promise<void> = Promise.resolve();

  /** @param startMs initial wall-clock time, in milliseconds since 1970; default 2026-01-05T09:00:00Z */
  constructor(private startMs = Date.UTC(2026, 0, 5, 9)) {}

  now(): number {
    this.looks += 1;
    return this.startMs + this.elapsedMs;
  }

  monotonic(): number {
    this.looks += 1;
    return this.elapsedMs;
  }

  setTimer(task: () => void, delayMs: number): Timer {
    this.looks += 1;
    this.armedEver += 1;
    const timer = new ManualTimer(this, task, this.elapsedMs + Math.max(0, delayMs), this.armedEver);
    this.timers.splice(this.countUpTo(timer), 0, timer);
    return timer;
  }

  /** Number of armed timers: 0 when everything has cleaned up. */
  get armed(): number {
    return this.timers.length;
  }

  /** Moment of `monotonic` at which the next timer is due; undefined if none is armed. */
  get nextDueAt(): number | undefined {
    return this.timers[0]?.dueAt;
  }

  /** Sets the wall clock to `ms` since 1970, like a correction of the system time. Timers are not affected. */
  setWall(ms: number): void {
    this.startMs = ms - this.elapsedMs;
  }

  /**
   * Moves time by `ms` and runs the timers that are due on the way, each at its own instant. Concurrent calls
   * queue up.
   *
   * @param atRest called at each instant when its work has come to rest, before time moves on: waits for work
   * that the clock can't see, and resolves to true if there was any, so that its consequences come to rest as
   * well
   * @throws the error of a timer's task; the later timers stay armed
   */
  advance(ms: number, atRest: () => boolean | Promise<boolean> = () => false): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`expected a number of milliseconds to advance by, got ${ms}`);
    const run = this.running.then(() => this.run(ms, atRest));
    this.running = run.catch(() => {});
    return run;
  }

  /** Waits until the work of this instant has come to rest, without moving time. */
  settle(): Promise<void> {
    return this.advance(0);
  }

  /** @internal */
  disarm(timer: ManualTimer): void {
    this.looks += 1;
    const index = this.countUpTo(timer) - 1;
    if (this.timers[index] === timer) this.timers.splice(index, 1);
  }

  private async run(ms: number, atRest: () => boolean | Promise<boolean>): Promise<void> {
    const endMs = this.elapsedMs + ms;
    await this.comeToRest(atRest);
    for (let next = this.timers[0]; next !== undefined && next.dueAt <= endMs; next = this.timers[0]) {
      this.timers.shift();
      this.elapsedMs = next.dueAt;
      next.task();
      await this.comeToRest(atRest);
    }
    this.elapsedMs = endMs;
  }

  private async comeToRest(atRest: () => boolean | Promise<boolean>): Promise<void> {
    do await this.rest();
    while (await atRest());
  }

  private async rest(): Promise<void> {
    let quietTurns = 0;
    for (let turns = 0; quietTurns < QUIET_TURNS; turns += 1) {
      if (turns === MAX_TURNS) {
        throw new Error(
          `time can't move on: something is still at work after ${MAX_TURNS} turns of the event loop`,
        );
      }
      const before = this.looks;
      await new Promise((resolve) => setImmediate(resolve));
      quietTurns = this.looks === before ? quietTurns + 1 : 0;
    }
  }

  /** Number of timers that are due before `timer`, itself included. */
  private countUpTo(timer: ManualTimer): number {
    let low = 0;
    let high = this.timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.timers[middle] as ManualTimer).isAfter(timer)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
