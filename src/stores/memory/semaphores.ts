import type { Clock } from '../../util/clock.js';
import type { PermitAnswer, PermitAsk, PermitHeld, SemaphoreStore } from '../semaphores.js';

interface Held {
  readonly fence: number;
  /** Monotonic milliseconds. */
  until: number;
}

export class MemorySemaphores implements SemaphoreStore {
  /** Permits of each semaphore, by their owners. */
  private readonly semaphores = new Map<string, Map<string, Held>>();
  private fences = 0;

  constructor(private readonly clock: Clock) {}

  async acquire(asks: readonly PermitAsk[]): Promise<readonly PermitAnswer[]> {
    return asks.map((ask) => this.take(ask));
  }

  async renew(name: string, owner: string, forMs: number): Promise<boolean> {
    const held = this.of(name).get(owner);
    if (held) held.until = this.clock.monotonic() + forMs;
    return held !== undefined;
  }

  async release(permits: readonly PermitHeld[]): Promise<void> {
    for (const { name, owner } of permits) {
      const held = this.semaphores.get(name);
      held?.delete(owner);
      if (held?.size === 0) this.semaphores.delete(name);
    }
  }

  private take({ name, limit, owner, forMs }: PermitAsk): PermitAnswer {
    const holders = this.of(name);
    const until = this.clock.monotonic() + forMs;
    const own = holders.get(owner);
    if (own) own.until = until;
    else if (holders.size >= limit) return { kind: 'full', leftMs: this.leftMs(holders) };
    const held = own ?? { fence: ++this.fences, until };
    holders.set(owner, held);
    this.semaphores.set(name, holders);
    return { kind: 'taken', fence: held.fence };
  }

  /** Those that hold one now: what is over is forgotten. */
  private of(name: string): Map<string, Held> {
    const holders = this.semaphores.get(name) ?? new Map<string, Held>();
    const now = this.clock.monotonic();
    for (const [owner, { until }] of holders) if (until <= now) holders.delete(owner);
    if (holders.size === 0) this.semaphores.delete(name);
    return holders;
  }

  private leftMs(holders: ReadonlyMap<string, Held>): number {
    const first = Math.min(...[...holders.values()].map(({ until }) => until));
    return Math.max(1, first - this.clock.monotonic());
  }
}
