import { LONGEST_MS } from '../util/duration.js';

/** The shortest and the longest delay, in milliseconds; the levels in the broker reach from the one to the other. */
export const MIN_DELAY_MS = 100;
export const MAX_DELAY_MS = LONGEST_MS;
