import ms from 'ms';

/**
 * A length of time: a number of milliseconds, or a number with its unit.
 * `'250ms'`, `'30s'`, `'5m'` (minutes), `'24h'`, `'7d'`.
 */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const DURATION = /^\d+(\.\d+)?(ms|s|m|h|d)$/;

/** Whether `value` is a {@link Duration}: not negative, finite, with a unit if it is a string. */
export function isDuration(value: unknown): value is Duration {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0;
  return typeof value === 'string' && DURATION.test(value);
}

/**
 * Milliseconds of a duration.
 *
 * @throws RangeError for anything that {@link isDuration} refuses; option checks ask first, so users don't see it.
 */
export function toMs(duration: Duration): number {
  if (!isDuration(duration))
    throw new RangeError(`expected a duration such as '30s' or 500, got ${String(duration)}`);
  return typeof duration === 'number' ? duration : ms(duration);
}

/** The same, where `Infinity` is allowed and stands for no limit. */
export function toMsOrForever(duration: Duration): number {
  return duration === Number.POSITIVE_INFINITY ? duration : toMs(duration);
}

/** A duration as people read it, for messages and logs: `250ms`, `30s`, `2h`. */
export function formatMs(durationMs: number): string {
  return Number.isFinite(durationMs) ? ms(Math.round(durationMs)) : String(durationMs);
}
