import type { Clock } from '../../util/clock.js';
import type { PermitStore } from '../permits.js';
import type { Stores } from '../stores.js';

/** In this process alone, as long as it lives. */
export function memoryStores(clock: Clock): Stores {
  return { permits: new MemoryPermits(clock) };
}

/** More are looked through for those whose time is over. */
const SWEEP_FROM = 1_000;

class MemoryPermits implements PermitStore {
  /** In monotonic milliseconds. */
  private readonly takenUntil = new Map<string, number>();
  private sweepAt = SWEEP_FROM;

  constructor(private readonly clock: Clock) {}

  async take(name: string, seconds: number): Promise<number> {
    const now = this.clock.monotonic();
    const until = this.takenUntil.get(name) ?? 0;
    if (until > now) return until - now;
    this.takenUntil.set(name, now + seconds * 1_000);
    if (this.takenUntil.size >= this.sweepAt) this.sweep(now);
    return 0;
  }

  private sweep(now: number): void {
    for (const [name, until] of this.takenUntil) if (until <= now) this.takenUntil.delete(name);
    // All that are left are in use: not again before there are twice as many.
    this.sweepAt = Math.max(SWEEP_FROM, this.takenUntil.size * 2);
  }
}
