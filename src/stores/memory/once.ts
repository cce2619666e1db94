import type { Clock } from '../../util/clock.js';
import type { OnceStore } from '../once.js';
import { ExpiringMap } from './expiring-map.js';

export class MemoryOnce implements OnceStore {
  private readonly results: ExpiringMap<string>;

  constructor(clock: Clock) {
    this.results = new ExpiringMap(clock);
  }

  /** Memory always has room for a result. */
  async reserve(key: string): Promise<string | undefined> {
    return this.results.get(key)?.value;
  }

  async record(key: string, result: string, keepMs: number): Promise<string> {
    const known = this.results.get(key);
    if (known) return known.value;
    this.results.set(key, result, keepMs);
    return result;
  }
}
