import type { Clock } from '../../util/clock.js';
import type { LeaseAnswer, LeaseState, LeaseStore } from '../leases.js';
import { ExpiringMap } from './expiring-map.js';

/** Time for which it is known of a lease that it was given back. */
const REMEMBER_MS = 60_000;

interface Lease {
  /** Undefined once it is done. */
  readonly owner: string | undefined;
  readonly fence: number;
  /** True once it is given back: nobody has it. */
  readonly isReleased?: true;
}

export class MemoryLeases implements LeaseStore {
  private readonly leases: ExpiringMap<Lease>;
  private fences = 0;

  constructor(clock: Clock) {
    this.leases = new ExpiringMap(clock);
  }

  async take(name: string, owner: string, forMs: number): Promise<LeaseAnswer> {
    const known = this.held(name);
    if (known && known.value.owner === undefined) return { kind: 'done' };
    if (known && known.value.owner !== owner) return { kind: 'held', leftMs: Math.max(1, known.leftMs) };
    const held = known?.value ?? { owner, fence: ++this.fences };
    this.leases.set(name, held, forMs);
    return { kind: 'taken', fence: held.fence };
  }

  async look(name: string): Promise<LeaseState> {
    const known = this.leases.get(name);
    if (!known) return 'free';
    if (known.value.isReleased) return 'released';
    return known.value.owner === undefined ? 'done' : Math.max(1, known.leftMs);
  }

  async renew(name: string, fence: number, forMs: number): Promise<boolean> {
    const lease = this.of(name, fence);
    if (lease?.owner === undefined) return false;
    this.leases.set(name, lease, forMs);
    return true;
  }

  async finish(name: string, fence: number, keepMs: number): Promise<boolean> {
    if (!this.of(name, fence)) return false;
    this.leases.set(name, { owner: undefined, fence }, keepMs);
    return true;
  }

  async release(name: string, fence: number): Promise<void> {
    const lease = this.of(name, fence);
    if (lease?.owner !== undefined) this.leases.set(name, { ...lease, isReleased: true }, REMEMBER_MS);
  }

  private held(name: string): { readonly value: Lease; readonly leftMs: number } | undefined {
    const known = this.leases.get(name);
    return known?.value.isReleased ? undefined : known;
  }

  private of(name: string, fence: number): Lease | undefined {
    const lease = this.held(name)?.value;
    return lease?.fence === fence ? lease : undefined;
  }
}
