import type { Attempt } from '../../pipeline/attempt.js';
import { handleRejection } from '../../util/handle-rejection.js';

/** Wall-clock milliseconds of the moment that the policy's `retryUntil` names; Infinity if there is none. */
export function untilOf(context: Attempt): number {
  const { retryUntil } = context.handler.retry;
  if (!retryUntil) return Number.POSITIVE_INFINITY;
  let problem: unknown = 'it gave no valid Date';
  try {
    const until: unknown = retryUntil(context.payload, context);
    const at = until instanceof Date ? Number(until.getTime()) : Number.NaN;
    if (!Number.isNaN(at)) return at;
    // Nobody awaits the answer of an async function.
    handleRejection(until);
  } catch (error) {
    problem = error;
  }
  context.log.warn({ error: problem }, 'retryUntil of a policy set no end: the other limits hold');
  return Number.POSITIVE_INFINITY;
}
