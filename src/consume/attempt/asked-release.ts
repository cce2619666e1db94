import { CancelledError, InvalidMessageError } from '../../errors.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import { COME_BACK_SOON, type Outcome } from '../../pipeline/outcome.js';
import { show } from '../../util/check.js';
import { type Duration, isDuration, toMs } from '../../util/duration.js';
import { isA } from '../../util/text/error-text.js';

/**
 * The outcome of `context.release(delay)`, and of what else has the message come back.
 *
 * @param call name of the method
 * @param what name of the delay there
 * @throws InvalidMessageError for a delay that is none, and for a request
 */
export function askedRelease(
  call: string,
  what: string,
  delay: Duration,
  { name, answers }: PlannedHandler,
): Outcome {
  if (answers)
    throw new InvalidMessageError(
      `'${name}' answers requests, and a request can't come back later: its requester waits`,
      'Throw, or call context.fail(): the requester may ask again.',
    );
  if (!isDuration(delay))
    throw new InvalidMessageError(
      `expected ${call}'s ${what} to be a duration of at most 400 days, got ${show(delay)}`,
      "Give a duration such as '30s'.",
    );
  return { kind: 'release', delayMs: toMs(delay), unhandled: false };
}

/** The outcome of `context.yield()`. A job that an operator has cancelled would yield whenever its signal fires, and never end. */
export const yielded = (abortReason: Error | undefined): Outcome =>
  isA(abortReason, CancelledError)
    ? { kind: 'dead-letter', reason: 'cancelled', error: abortReason }
    : { ...COME_BACK_SOON };
