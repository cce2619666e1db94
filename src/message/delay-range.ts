import { InvalidMessageError } from '../errors.js';
import { formatMs, LONGEST_MS } from '../util/duration.js';

/** Shortest and longest delay, in milliseconds: the range of the levels in the broker. */
export const MIN_DELAY_MS = 100;
export const MAX_DELAY_MS = LONGEST_MS;

/** @throws InvalidMessageError if the delay is longer than 400 days, or no number */
export function checkDelay(delayMs: number): void {
  if (delayMs <= MAX_DELAY_MS) return;
  throw new InvalidMessageError(
    `a delay of ${formatMs(delayMs)} is longer than the maximum, 400 days`,
    'Store messages for a later date, and publish them when the date is nearer.',
  );
}
