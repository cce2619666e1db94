import { type Clock, pause } from '../util/clock.js';

/** So many a second, `50` or `'50/s'`; `'30/m'` is so many a minute. */
export type Rate = number | `${number}/s` | `${number}/m`;

const RATE = /^(\d+(?:\.\d+)?)\/(s|m)$/;

/** Whether `value` is a {@link Rate}: more than none, and finite. */
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
 * Lets one pass after the other at a steady rate, without bursts: time that was lost waiting for something else is not
 * made up for, since whoever asks for a rate asks for the sake of what is behind it.
 */
export class Pace {
  private readonly everyMs: number;
  private nextAt = Number.NEGATIVE_INFINITY;

  /** @param rate undefined lets all pass at once */
  constructor(
    private readonly clock: Clock,
    rate: Rate | undefined,
  ) {
    this.everyMs = rate === undefined ? 0 : intervalMs(rate);
  }

  /** Resolves when the next may go, or as soon as `signal` aborts. */
  async turn(signal?: AbortSignal): Promise<void> {
    if (this.everyMs === 0) return;
    const now = this.clock.monotonic();
    const at = Math.max(now, this.nextAt);
    // A timer is up to a millisecond or two late; a plan that slips no more than a turn is kept.
    this.nextAt = (now - this.nextAt < this.everyMs ? this.nextAt : at) + this.everyMs;
    if (at > now) await pause(this.clock, at - now, signal).catch(() => {});
  }
}
