import type { Clock } from './clock.js';

/** One moment that several steps share: "all stages of `stop()` together within 30 s". */
export class Deadline {
  private readonly endsAt: number;

  /** @param durationMs milliseconds from now; `Infinity` never ends */
  constructor(
    private readonly clock: Clock,
    readonly durationMs: number,
  ) {
    this.endsAt = clock.monotonic() + durationMs;
  }

  get remainingMs(): number {
    return Math.max(0, this.endsAt - this.clock.monotonic());
  }

  get expired(): boolean {
    return this.remainingMs === 0;
  }

  /** A deadline that ends this much earlier, but leaves at least half of the time that remains. */
  before(reserveMs: number): Deadline {
    return new Deadline(this.clock, Math.max(this.remainingMs - reserveMs, this.remainingMs / 2));
  }

  /** A deadline that ends when this one does, or after `durationMs` if that is sooner. */
  atMost(durationMs: number): Deadline {
    return new Deadline(this.clock, Math.min(this.remainingMs, durationMs));
  }

  /**
   * The outcome of `work`, or a rejection with `onExpired()` once the deadline is over. The work itself goes on;
   * its later failure is swallowed, so that it never surfaces as an unhandled rejection.
   */
  race<T>(work: Promise<T>, onExpired: () => Error): Promise<T> {
    if (this.durationMs === Number.POSITIVE_INFINITY) return work;
    return new Promise<T>((resolve, reject) => {
      const timer = this.clock.setTimer(() => reject(onExpired()), this.remainingMs);
      work.then(
        (value) => {
          timer.cancel();
          resolve(value);
        },
        (error) => {
          timer.cancel();
          reject(error);
        },
      );
    });
  }
}
