import type { Clock } from '../../util/clock.js';
import type { LockStore } from '../locks.js';
import { ExpiringMap } from './expiring-map.js';

export class MemoryLocks implements LockStore {
  private readonly owners: ExpiringMap<string>;

  constructor(clock: Clock) {
    this.owners = new ExpiringMap(clock);
  }

  async acquire(key: string, owner: string, forMs: number): Promise<string | undefined> {
    const known = this.owners.get(key);
    if (known && known.value !== owner) return known.value;
    this.owners.set(key, owner, Math.max(forMs, known?.leftMs ?? 0));
    return undefined;
  }

  async extend(key: string, owner: string, forMs: number): Promise<boolean> {
    const known = this.owners.get(key);
    if (known?.value !== owner) return false;
    this.owners.set(key, owner, Math.max(forMs, known.leftMs));
    return true;
  }

  async release(key: string, owner: string): Promise<void> {
    if (this.owners.get(key)?.value === owner) this.owners.delete(key);
  }
}
