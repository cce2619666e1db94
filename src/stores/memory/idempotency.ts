import type { Clock } from '../../util/clock.js';
import type { HandledKey, IdempotencyStore } from '../idempotency.js';
import { ExpiringMap } from './expiring-map.js';

export class MemoryIdempotency implements IdempotencyStore {
  private readonly claims: ExpiringMap<string | HandledKey>;

  constructor(clock: Clock) {
    this.claims = new ExpiringMap(clock);
  }

  async claim(key: string, owner: string, forMs: number): Promise<'claimed' | HandledKey | number> {
    const known = this.claims.get(key);
    if (typeof known?.value === 'object') return known.value;
    if (known && known.value !== owner) return Math.max(1, known.leftMs);
    this.claims.set(key, owner, forMs);
    return 'claimed';
  }

  async finish(key: string, owner: string, keepMs: number, note: string): Promise<boolean> {
    if (this.claims.get(key)?.value !== owner) return false;
    this.claims.set(key, { handled: note }, keepMs);
    return true;
  }

  async release(key: string, owner: string): Promise<void> {
    if (this.claims.get(key)?.value === owner) this.claims.delete(key);
  }
}
