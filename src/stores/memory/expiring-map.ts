import type { Clock } from '../../util/clock.js';

/** Number of entries from which a write sweeps expired ones. */
const SWEEP_FROM = 1_000;

/** A map whose values expire. */
export class ExpiringMap<Value> {
  /** `until` in monotonic milliseconds. */
  private readonly entries = new Map<string, { readonly value: Value; readonly until: number }>();
  private sweepAt = SWEEP_FROM;

  constructor(private readonly clock: Clock) {}

  get(key: string): { readonly value: Value; readonly leftMs: number } | undefined {
    const entry = this.entries.get(key);
    const leftMs = (entry?.until ?? 0) - this.clock.monotonic();
    return entry && leftMs > 0 ? { value: entry.value, leftMs } : undefined;
  }

  set(key: string, value: Value, forMs: number): void {
    this.entries.set(key, { value, until: this.clock.monotonic() + forMs });
    if (this.entries.size >= this.sweepAt) this.sweep();
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  /** Values that have not expired, in the order in which they were first set. */
  values(): Value[] {
    const now = this.clock.monotonic();
    return [...this.entries.values()].filter(({ until }) => until > now).map(({ value }) => value);
  }

  private sweep(): void {
    const now = this.clock.monotonic();
    for (const [key, { until }] of this.entries) if (until <= now) this.entries.delete(key);
    // All remaining entries are in use: no sweep before the map has doubled.
    this.sweepAt = Math.max(SWEEP_FROM, this.entries.size * 2);
  }
}
