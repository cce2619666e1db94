import { LONGEST_MS } from '../util/duration.js';

/** Shortest and longest delay, in milliseconds: the range of the levels in the broker. */
export const MIN_DELAY_MS = 100;
export const MAX_DELAY_MS = LONGEST_MS;
