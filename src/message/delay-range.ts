/** The shortest and the longest delay, in milliseconds; the levels in the broker reach from the one to the other. */
export const MIN_DELAY_MS = 100;
export const MAX_DELAY_MS = 400 * 24 * 60 * 60 * 1_000;
