import type { Clock } from '../../util/clock.js';
import type { PermitAnswer, SemaphoreStore } from '../semaphores.js';
import { ExpiringMap } from './expiring-map.js';

/** Owners of a semaphore's permits, each with the end of its time in monotonic milliseconds. */
type Permits = ReadonlyMap<string, number>;

export class MemorySemaphores implements SemaphoreStore {
  private readonly semaphores: ExpiringMap<Permits>;
  private fences = 0;

  constructor(private readonly clock: Clock) {
    this.semaphores = new ExpiringMap(clock);
  }

  async acquire(name: string, limit: number, owner: string, forMs: number): Promise<PermitAnswer> {
    const permits = this.heldOf(name);
    if (!permits.has(owner) && permits.size >= limit) {
      const ends = [...permits.values()].toSorted((left, right) => left - right);
      const freeAt = ends[permits.size - limit] ?? 0;
      return { kind: 'full', leftMs: Math.max(1, freeAt - this.clock.monotonic()) };
    }
    this.keep(name, permits, owner, forMs);
    return { kind: 'taken', fence: ++this.fences };
  }

  async renew(name: string, owner: string, forMs: number): Promise<boolean> {
    const permits = this.heldOf(name);
    if (!permits.has(owner)) return false;
    this.keep(name, permits, owner, forMs);
    return true;
  }

  async release(name: string, owner: string): Promise<void> {
    const permits = this.heldOf(name);
    permits.delete(owner);
    if (permits.size === 0) this.semaphores.delete(name);
    else this.store(name, permits);
  }

  private keep(name: string, permits: Map<string, number>, owner: string, forMs: number): void {
    permits.set(owner, this.clock.monotonic() + forMs);
    this.store(name, permits);
  }

  private store(name: string, permits: Permits): void {
    this.semaphores.set(name, permits, Math.max(...permits.values()) - this.clock.monotonic());
  }

  private heldOf(name: string): Map<string, number> {
    const now = this.clock.monotonic();
    return new Map([...(this.semaphores.get(name)?.value ?? [])].filter(([, until]) => until > now));
  }
}
