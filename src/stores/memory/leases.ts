import type { Clock } from '../../util/clock.js';
import type { LeaseAnswer, LeaseStore } from '../leases.js';
import { ExpiringMap } from './expiring-map.js';

type Held = { readonly owner: string; readonly fence: number };

export class MemoryLeases implements LeaseStore {
  private readonly leases: ExpiringMap<Held | 'done'>;
  private fences = 0;

  constructor(clock: Clock) {
    this.leases = new ExpiringMap(clock);
  }

  async take(name: string, owner: string, forMs: number): Promise<LeaseAnswer> {
    const known = this.leases.get(name);
    if (known?.value === 'done') return { kind: 'done' };
    if (known && known.value.owner !== owner) return { kind: 'held', leftMs: Math.max(1, known.leftMs) };
    const held = known?.value ?? { owner, fence: ++this.fences };
    this.leases.set(name, held, forMs);
    return { kind: 'taken', fence: held.fence };
  }

  async look(name: string): Promise<'free' | 'done' | number> {
    const known = this.leases.get(name);
    if (known?.value === 'done') return 'done';
    return known ? Math.max(1, known.leftMs) : 'free';
  }

  async renew(name: string, fence: number, forMs: number): Promise<boolean> {
    const held = this.heldBy(name, fence);
    if (held) this.leases.set(name, held, forMs);
    return held !== undefined;
  }

  async finish(name: string, fence: number, keepMs: number): Promise<boolean> {
    const held = this.heldBy(name, fence);
    if (held) this.leases.set(name, 'done', keepMs);
    return held !== undefined;
  }

  async release(name: string, fence: number): Promise<void> {
    if (this.heldBy(name, fence)) this.leases.delete(name);
  }

  private heldBy(name: string, fence: number): Held | undefined {
    const known = this.leases.get(name)?.value;
    return typeof known === 'object' && known.fence === fence ? known : undefined;
  }
}
