import { isPlainObject } from '../util/check.js';
import { type Duration, isDuration, toMs } from '../util/duration.js';

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

/** The pause after attempt number `attempt`, in milliseconds; 0 for at once. */
export function backoffMs(policy: BackoffPolicy, attempt: number, error: unknown): number {
  if (isDuration(policy)) return toMs(policy);
  if (typeof policy === 'function') return computedMs(policy, attempt, error);
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
): number {
  try {
    const answer = policy(attempt, error);
    return isDuration(answer) ? toMs(answer) : FALLBACK_MS;
  } catch {
    return FALLBACK_MS;
  }
}
