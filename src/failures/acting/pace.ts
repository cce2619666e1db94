import { type Clock, pause } from '../../util/clock.js';

/** A rate: `50` or `'50/s'` per second, `'30/m'` per minute. */
export type Rate = number | `${number}/s` | `${number}/m`;

const RATE = /^(\d+(?:\.\d+)?)\/(s|m)$/;

/** True for a valid {@link Rate}: finite and above zero. */
export function isRate(value: unknown): value is Rate {
  if (typeof value === 'number') return Number.isFinite(value) && value > 0;
  return typeof value === 'string' && Number(RATE.exec(value)?.[1] ?? 0) > 0;
}

function intervalMs(rate: Rate): number {
  if (typeof rate === 'number') return 1_000 / rate;
  const [, count, unit] = RATE.exec(rate) ?? [];
  return (unit === 'm' ? 60_000 : 1_000) / Number(count);
}

/**
 * Limits actions to a steady rate, without bursts: time that was lost is not made up for, since the rate
 * protects the system behind it.
 */
export class Pace {
  private readonly everyMs: number;
  private nextAt = Number.NEGATIVE_INFINITY;

  /** @param rate undefined means no limit */
  constructor(
    private readonly clock: Clock,
    rate: Rate | undefined,
  ) {
    this.everyMs = rate === undefined ? 0 : intervalMs(rate);
  }

  /** Resolves when the next action may begin, or as soon as `signal` aborts. */
  async turn(signal?: AbortSignal): Promise<void> {
    if (this.everyMs === 0) return;
    const now = this.clock.monotonic();
    const at = Math.max(now, this.nextAt);
    // A timer is up to two milliseconds late; the schedule is kept if it slips by less than one interval.
    this.nextAt = (now - this.nextAt < this.everyMs ? this.nextAt : at) + this.everyMs;
    if (at > now) await pause(this.clock, at - now, signal).catch(() => {});
  }
}
