import type { Clock } from './clock.js';

/** A moment that several steps share: "all stages of `stop()` together within 30 s". */
export class Deadline {
  private endsAt: number;
  private readonly races = new Set<() => void>();
  private ended = false;

  /** @param durationMs milliseconds from now; `Infinity` means no deadline */
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

  /** Ends the deadline now, and so every race with it. Deadlines derived from it keep their own time. */
  end(): void {
    this.ended = true;
    this.endsAt = this.clock.monotonic();
    for (const lose of this.races) lose();
  }

  /** A deadline that ends `reserveMs` earlier, but leaves at least half of the remaining time. */
  before(reserveMs: number): Deadline {
    return new Deadline(this.clock, Math.max(this.remainingMs - reserveMs, this.remainingMs / 2));
  }

  /** A deadline that ends when this one does, or after `durationMs` if that is sooner. */
  atMost(durationMs: number): Deadline {
    return new Deadline(this.clock, Math.min(this.remainingMs, durationMs));
  }

  /**
   * Result of `work`, or a rejection with `onExpired()` once the deadline has passed. The work itself goes on;
   * its later failure is swallowed, so that it is no unhandled rejection.
   */
  race<T>(work: Promise<T>, onExpired: () => Error): Promise<T> {
    const { clock, races, remainingMs } = this;
    if (this.ended) {
      work.catch(() => {});
      return Promise.reject(onExpired());
    }
    return new Promise<T>((resolve, reject) => {
      const lose = () => {
        // A timer may fire slightly early; a caller must not find time left after a lost race.
        this.endsAt = Math.min(this.endsAt, clock.monotonic());
        over();
        reject(onExpired());
      };
      const timer = remainingMs === Number.POSITIVE_INFINITY ? undefined : clock.setTimer(lose, remainingMs);
      const over = () => {
        timer?.cancel();
        races.delete(lose);
      };
      races.add(lose);
      work.then(
        (value) => {
          over();
          resolve(value);
        },
        (error) => {
          over();
          reject(error);
        },
      );
    });
  }
}
