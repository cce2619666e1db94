/** Largest prefetch: the protocol has 16 bits for it, and 0 means no limit. */
export const MAX_PREFETCH = 65_535;

/** Longest time that fetched work waits for a slot before the lanes fetch less. */
export const LONGEST_WAIT_MS = 10 * 60_000;
