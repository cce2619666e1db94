import type { Clock } from '../../util/clock.js';

/** More are looked through for those whose time is over. */
const SWEEP_FROM = 1_000;

/** Values that are forgotten when their time is over. */
export class ExpiringMap<Value> {
  /** Ends in monotonic milliseconds. */
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

  /** Those whose time is not over, in the order in which they were first set. */
  values(): Value[] {
    const now = this.clock.monotonic();
    return [...this.entries.values()].filter(({ until }) => until > now).map(({ value }) => value);
  }

  private sweep(): void {
    const now = this.clock.monotonic();
    for (const [key, { until }] of this.entries) if (until <= now) this.entries.delete(key);
    // All that are left are in use: not again before there are twice as many.
    this.sweepAt = Math.max(SWEEP_FROM, this.entries.size * 2);
  }
}
