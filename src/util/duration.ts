import ms from 'ms';

/**
 * A length of time, up to 400 days: a number of milliseconds, or a number with a unit: `'250ms'`, `'30s'`,
 * `'5m'` (minutes), `'24h'`, `'7d'`.
 */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** Range of the delays in the broker; a longer duration is a mistake, such as milliseconds multiplied twice. */
export const LONGEST_MS = 400 * 24 * 60 * 60 * 1_000;

const DURATION = /^\d{1,20}(\.\d{1,20})?(ms|s|m|h|d)$/;

/** True for a {@link Duration}: not negative, 400 days at most, with a unit if it is a string. */
export function isDuration(value: unknown): value is Duration {
  const length = msAsWritten(value);
  return length !== undefined && length <= LONGEST_MS;
}

/** Milliseconds of anything written as a duration, of any length; undefined for anything else. */
export function msAsWritten(value: unknown): number | undefined {
  if (typeof value === 'string') return DURATION.test(value) ? ms(value as ms.StringValue) : undefined;
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/**
 * Milliseconds of a duration.
 *
 * @throws RangeError for a value that {@link isDuration} refuses; options are checked before, so users don't
 * see it
 */
export function toMs(duration: Duration): number {
  if (!isDuration(duration))
    throw new RangeError(
      `expected a duration of at most 400 days, such as '30s' or 500, got ${String(duration)}`,
    );
  return typeof duration === 'number' ? duration : ms(duration);
}

/** The same, with `Infinity` for no limit. */
export function toMsOrForever(duration: Duration): number {
  return duration === Number.POSITIVE_INFINITY ? duration : toMs(duration);
}

/** A duration for messages and logs: `250ms`, `30s`, `2h`. */
export function formatMs(durationMs: number): string {
  return Number.isFinite(durationMs) ? ms(Math.round(durationMs)) : String(durationMs);
}
