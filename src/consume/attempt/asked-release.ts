import { InvalidMessageError, NoRateLimitError } from '../../errors.js';
import type { Attempt } from '../../pipeline/attempt.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import type { Outcome } from '../../pipeline/outcome.js';
import { show } from '../../util/check.js';
import { type Duration, isDuration, toMs } from '../../util/duration.js';

/**
 * The outcome of `context.release(delay)`.
 *
 * @param what the call, and its argument
 * @throws InvalidMessageError for a delay that is none, and for a request
 */
export function askedRelease(
  delay: Duration,
  { name, answers }: PlannedHandler,
  what = "release's delay",
): Outcome {
  if (answers)
    throw new InvalidMessageError(
      `'${name}' answers requests, and a request can't come back later: its requester waits`,
      'Throw, or call context.fail(): the requester may ask again.',
    );
  if (!isDuration(delay))
    throw new InvalidMessageError(
      `expected ${what} to be a duration of at most 400 days, got ${show(delay)}`,
      "Give a duration such as '30s'.",
    );
  return { kind: 'release', delayMs: toMs(delay), unhandled: false };
}

/**
 * The outcome of `context.limited(retryAfter)`. Notes for the stage of the rate limit that others have to wait, too.
 *
 * @throws as {@link askedRelease}; NoRateLimitError if no others would wait
 */
export function askedLimit(retryAfter: Duration, { handler, pace, phase }: Attempt): Outcome {
  const outcome = askedRelease(retryAfter, handler, "limited's retryAfter");
  // Later it changes nothing, and is logged.
  if (phase !== 'running') return outcome;
  if (!pace) throw new NoRateLimitError(handler.name);
  pace.limitedMs = Math.max(pace.limitedMs, toMs(retryAfter));
  return outcome;
}
