const LEAST_MS = 1_000;
const MOST_MS = 30_000;

/** Longest time until a guard asks again whose store was away: nothing is known of its lease then. */
export const AWAY_MS = 10_000;

/** Milliseconds until a guard looks again at a lease that is held for so many more, unless it is renewed. */
export const roundMs = (leftMs: number): number => Math.min(Math.max(leftMs, LEAST_MS), MOST_MS);
