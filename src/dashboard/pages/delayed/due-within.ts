import type { SeenDelay } from '../../site/seen.js';
import type { DueWithin } from './model.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const WITHIN_MS = [MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS];

/** Counts of what waits, by the time within which it is due at the latest. */
export function dueWithin(delays: readonly SeenDelay[]): readonly DueWithin[] {
  const counts = new Map<number | undefined, number>(
    [...WITHIN_MS, undefined].map((withinMs) => [withinMs, 0]),
  );
  for (const { length = 0, dueMs } of delays) {
    const withinMs = WITHIN_MS.find((each) => dueMs !== undefined && dueMs <= each);
    counts.set(withinMs, (counts.get(withinMs) ?? 0) + length);
  }
  return [...counts].map(([withinMs, count]) => ({ withinMs, count }));
}
