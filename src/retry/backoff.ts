import { isPlainObject, show } from '../util/check.js';
import { type Duration, isDuration, toMs } from '../util/duration.js';
import { hearRejection } from '../util/hear-rejection.js';

/** Pauses between attempts: one for all, one after the other (the last repeats), growing, or computed. */
export type BackoffPolicy =
  | Duration
  | readonly Duration[]
  | { readonly exponential: ExponentialBackoff }
  | ((attempt: number, error: unknown) => Duration);

export interface ExponentialBackoff {
  /** Pause after the first attempt. */
  readonly first: Duration;
  /** Each pause is this times the one before. @default 2 */
  readonly factor?: number;
  /** No pause is longer. @default '1h' */
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

/** Told what is wrong with what a function of a policy has answered, as half a sentence, or what it has thrown. */
export type OnOddAnswer = (what: string, thrown?: { readonly error: unknown }) => void;

/** The pause after attempt number `attempt`, in milliseconds; 0 for at once. */
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

/** What a user's function that throws or answers nonsense gives: the message must end somewhere, not loop at once. */
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
  hearRejection(answer);
  onOdd(
    `backoff gave ${show(answer)}, not a duration of at most 400 days: the pause is ${FALLBACK_MS / 1_000} s`,
  );
  return FALLBACK_MS;
}
