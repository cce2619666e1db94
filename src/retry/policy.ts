import { type Check, duration, type Fields, isPlainObject, positiveInteger } from '../util/check.js';
import { type Duration, isDuration } from '../util/duration.js';

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

/** When a failed message is tried again, and when it is given up. */
export interface RetryOptions {
  /** Attempts in all, the first included. @default 5 */
  tries?: number;
  /**
   * Pause before the next attempt, from 100 ms to 400 days, carried by the broker. Whole levels (1 s, 4 s, 16 s, 30 s,
   * 1 min, 2 min …) cost one hop. 0 runs again at once in this process. @default ['1s', '4s', '16s', '1m', '4m']
   */
  backoff?: BackoffPolicy;
  /** Share of the pause, 0 to 1, that is taken off at random. @default 0 */
  jitter?: number;
  /** Give up after this many throws; releases don't count. @default no limit of its own */
  maxExceptions?: number;
  /** Give up this long after the first attempt. @default no limit */
  retryFor?: Duration;
}

/** A policy with its defaults filled in. */
export interface RetryPolicy {
  readonly tries: number;
  readonly backoff: BackoffPolicy;
  readonly jitter: number;
  readonly maxExceptions: number;
  readonly retryFor: Duration;
}

export const RETRY_DEFAULTS: RetryPolicy = {
  tries: 5,
  backoff: ['1s', '4s', '16s', '1m', '4m'],
  jitter: 0,
  maxExceptions: Number.POSITIVE_INFINITY,
  retryFor: Number.POSITIVE_INFINITY,
};

/** The first option that is given wins: the handler's, its class's, the bus's, the default. */
export function retryPolicy(...options: readonly (RetryOptions | undefined)[]): RetryPolicy {
  return Object.assign({}, RETRY_DEFAULTS, ...options.toReversed().map(withoutUndefined));
}

function withoutUndefined(options: RetryOptions | undefined): RetryOptions {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined));
}

const share: Check = {
  expected: 'a number from 0 to 1',
  accepts: (value) => typeof value === 'number' && value >= 0 && value <= 1,
};

const backoff: Check = {
  expected: 'a duration, a list of durations, { exponential: { first, factor, max } }, or a function',
  accepts: (value) => {
    if (typeof value === 'function' || isDuration(value)) return true;
    if (Array.isArray(value)) return value.length > 0 && value.every(isDuration);
    return isPlainObject(value) && Object.keys(value).length === 1 && isExponential(value.exponential);
  },
};

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

export const RETRY_FIELDS: Fields = {
  tries: positiveInteger,
  backoff,
  jitter: share,
  maxExceptions: positiveInteger,
  retryFor: duration,
};
