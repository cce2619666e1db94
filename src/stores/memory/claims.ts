import type { Clock } from '../../util/clock.js';
import type { ClaimStore } from '../claims.js';
import { ExpiringMap } from './expiring-map.js';

const DONE = Symbol('done');

export class MemoryClaims implements ClaimStore {
  private readonly claims: ExpiringMap<string | typeof DONE>;

  constructor(clock: Clock) {
    this.claims = new ExpiringMap(clock);
  }

  async claim(key: string, owner: string, forMs: number): Promise<'claimed' | 'done' | number> {
    const known = this.claims.get(key);
    if (known?.value === DONE) return 'done';
    if (known && known.value !== owner) return Math.max(1, known.leftMs);
    this.claims.set(key, owner, forMs);
    return 'claimed';
  }

  async finish(key: string, owner: string, keepMs: number): Promise<boolean> {
    if (this.claims.get(key)?.value !== owner) return false;
    this.claims.set(key, DONE, keepMs);
    return true;
  }

  async release(key: string, owner: string): Promise<void> {
    if (this.claims.get(key)?.value === owner) this.claims.delete(key);
  }
}
