import type { Clock } from '../../util/clock.js';
import type { RateLimitStore } from '../rate-limits.js';
import { ExpiringMap } from './expiring-map.js';

export class MemoryRateLimits implements RateLimitStore {
  private readonly taken: ExpiringMap<true>;

  constructor(clock: Clock) {
    this.taken = new ExpiringMap(clock);
  }

  async take(name: string, seconds: number): Promise<number> {
    const known = this.taken.get(name);
    if (known) return known.leftMs;
    this.taken.set(name, true, seconds * 1_000);
    return 0;
  }

  async hold(names: readonly string[], forMs: number): Promise<void> {
    for (const name of names) this.taken.set(name, true, Math.max(forMs, this.taken.get(name)?.leftMs ?? 0));
  }
}
