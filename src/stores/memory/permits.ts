import type { Clock } from '../../util/clock.js';
import type { PermitStore } from '../permits.js';
import { ExpiringMap } from './expiring-map.js';

export class MemoryPermits implements PermitStore {
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
}
