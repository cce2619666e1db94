import type { Clock } from '../../../util/clock.js';

const WINDOW_MS = 60_000;

/** Places that are remembered; when there are more, the one that began first is forgotten. */
const MAX_PLACES = 1_000;

/** Passwords that are checked at once: each takes 32 MB. */
const MAX_CHECKS = 2;
/** And those that wait for their turn. */
const MAX_WAITING = 20;

/** Where passwords come from. */
export interface Place {
  readonly name: string;
  /** Wrong passwords within a minute, after which none is tried any more. */
  readonly most: number;
}

/** Bounds of guessing passwords, and of what that costs. */
export class Attempts {
  private readonly wrong = new Map<string, { count: number; readonly until: number }>();
  private readonly waiting: (() => void)[] = [];
  private checks = 0;

  constructor(private readonly clock: Clock) {}

  /** Milliseconds until the place may try again; 0 if it may now. */
  waitMs({ name, most }: Place): number {
    const { count = 0, until = 0 } = this.wrong.get(name) ?? {};
    const left = until - this.clock.monotonic();
    if (left > 0) return count >= most ? left : 0;
    this.wrong.delete(name);
    return 0;
  }

  /** Counts a wrong password. @returns true if it is the last that is tried */
  failed({ name: place, most }: Place): boolean {
    const entry = this.wrong.get(place);
    if (entry) {
      entry.count += 1;
      return entry.count === most;
    }
    const [first] = this.wrong.keys();
    if (this.wrong.size >= MAX_PLACES && first !== undefined) this.wrong.delete(first);
    this.wrong.set(place, { count: 1, until: this.clock.monotonic() + WINDOW_MS });
    return most === 1;
  }

  /** Runs a check in its turn; undefined, without running it, if too many wait. */
  async checked<T>(check: () => Promise<T>): Promise<T | undefined> {
    if (this.checks >= MAX_CHECKS) {
      if (this.waiting.length >= MAX_WAITING) return undefined;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.checks += 1;
    try {
      return await check();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.checks -= 1;
    }
  }
}
