import { isPlainObject, show } from '../util/check.js';
import { type Duration, isDuration, toMs } from '../util/duration.js';
import { handleRejection } from '../util/handle-rejection.js';

/**
 * Pauses between attempts: the same for all; a list, of which the last repeats; exponential; or computed by a
 * function.
 */
export type BackoffPolicy =
  | Duration
  | readonly Duration[]
  | { readonly exponential: ExponentialBackoff }
  | ((attempt: number, error: unknown) => Duration);

export interface ExponentialBackoff {
  /** Pause after the first attempt. */
  readonly first: Duration;
  /** Ratio of each pause to the one before. @default 2 */
  readonly factor?: number;
  /** Longest pause. @default '1h' */
  readonly max?: Duration;
}

export function isBackoffPolicy(value: unknown): boolean {
  if (typeof value === 'function' || isDuration(value)) return true;
  if (Array.isArray(value)) return value.length > 0 && value.every(isDuration);
  return isPlainObject(value) && Object.keys(value).length === 1 && isExponential(value.exponential);
}

function isExponential(value: unknown): boolean {
  if (!isPlainObject(value)) return false;
  const { first, factor = 2, max = 0, ...others } = value;
  return (
    isDuration(first) &&
    isDuration(max) &&
    typeof factor === 'number' &&
    Number.isFinite(factor) &&
    factor >= 1 &&
    Object.keys(others).length === 0
  );
}

/** Receives the fault of a policy's function: what it returned, as half a sentence, or the value it threw. */
export type OnOddAnswer = (what: string, thrown?: { readonly error: unknown }) => void;

/** Pause after attempt number `attempt`, in milliseconds; 0 for at once. */
export function backoffMs(
  policy: BackoffPolicy,
  attempt: number,
  error: unknown,
  onOdd: OnOddAnswer = () => {},
): number {
  if (isDuration(policy)) return toMs(policy);
  if (typeof policy === 'function') return computedMs(policy, attempt, error, onOdd);
  if ('exponential' in policy) {
    const { first, factor = 2, max = '1h' } = policy.exponential;
    return Math.min(toMs(max), toMs(first) * factor ** (attempt - 1));
  }
  return toMs(policy[Math.min(attempt, policy.length) - 1] ?? 0);
}

/** Pause if a user's function throws or returns nonsense: the message must not be retried in a tight loop. */
const FALLBACK_MS = 60_000;

function computedMs(
  policy: (attempt: number, error: unknown) => unknown,
  attempt: number,
  error: unknown,
  onOdd: OnOddAnswer,
): number {
  let answer: unknown;
  try {
    answer = policy(attempt, error);
  } catch (thrown) {
    onOdd(`backoff has thrown: the pause is ${FALLBACK_MS / 1_000} s`, { error: thrown });
    return FALLBACK_MS;
  }
  if (isDuration(answer)) return toMs(answer);
  handleRejection(answer);
  onOdd(
    `backoff returned ${show(answer)}, not a duration of at most 400 days: the pause is ${FALLBACK_MS / 1_000} s`,
  );
  return FALLBACK_MS;
}
