import type { MessageContext } from '../message/context.js';
import { type Check, callable, duration, type Fields, positiveInteger } from '../util/check.js';
import { type Duration, toMsOrForever } from '../util/duration.js';
import { type BackoffPolicy, isBackoffPolicy } from './backoff.js';
import { type ErrorRule, errorRules } from './error-rules.js';

/** When a failed message is tried again, and when it is given up. Whatever comes first ends it. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface RetryOptions<Payload = any> {
  /**
   * Attempts in all, the first included. `Infinity` only with another end: `maxExceptions`, `retryFor` or
   * `retryUntil`. @default 5
   */
  tries?: number;
  /**
   * Pause before the next attempt, from 100 ms to 400 days, carried by the broker. Whole levels (1 s, 4 s, 16 s, 30 s,
   * 1 min, 2 min …) cost one hop. 0 runs again at once in this process, until that stops. A
   * function that throws, or gives no duration, means 60 s, and is logged. @default ['1s', '4s', '16s', '1m', '4m']
   */
  backoff?: BackoffPolicy;
  /** Share of the pause, 0 to 1, that is taken off at random. @default 0 */
  jitter?: number;
  /** Give up after this many throws; releases don't count. @default no limit of its own */
  maxExceptions?: number;
  /**
   * Give up this long after the first attempt, in pauses and running attempts: what the message waits beside them, in a queue
   * that is behind or paused, doesn't count, and no clock that is wrong ends it. @default no limit
   */
  retryFor?: Duration;
  /**
   * Give up at this moment, which the message itself may name. Asked before each attempt; one that throws or gives no
   * date sets no end, and is logged. @default no limit
   */
  retryUntil?: (payload: Payload, context: MessageContext) => Date;
  /** What to do about some errors only; the first rule that matches counts. @default [] */
  on?: readonly ErrorRule[];
}

/** A policy with its defaults filled in. */
export interface RetryPolicy extends Required<Omit<RetryOptions, 'retryUntil'>> {
  readonly retryUntil: RetryOptions['retryUntil'] | undefined;
  /** A timeout gives up at once. */
  readonly failOnTimeout: boolean;
}

export const RETRY_DEFAULTS: RetryPolicy = {
  tries: 5,
  backoff: ['1s', '4s', '16s', '1m', '4m'],
  jitter: 0,
  maxExceptions: Number.POSITIVE_INFINITY,
  retryFor: Number.POSITIVE_INFINITY,
  retryUntil: undefined,
  on: [],
  failOnTimeout: false,
};

/** The first option that is given wins: the handler's, its class's, the bus's, the default. */
export function retryPolicy(
  ...options: readonly (Partial<RetryPolicy> | RetryOptions | undefined)[]
): RetryPolicy {
  return Object.assign({}, RETRY_DEFAULTS, ...options.toReversed().map(withoutUndefined));
}

function withoutUndefined(options: object | undefined): object {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined));
}

/** Why a whole policy can't work, or undefined: every message must end. */
export function policyProblem({
  tries,
  maxExceptions,
  retryFor,
  retryUntil,
}: RetryPolicy): string | undefined {
  const endless = [tries, maxExceptions, toMsOrForever(retryFor)].every(
    (limit) => limit === Number.POSITIVE_INFINITY,
  );
  return endless && !retryUntil
    ? 'retry.tries is Infinity and nothing else ends a message: set maxExceptions, retryFor or retryUntil'
    : undefined;
}

const share: Check = {
  expected: 'a number from 0 to 1',
  accepts: (value) => typeof value === 'number' && value >= 0 && value <= 1,
};

const tries: Check = {
  expected: 'a positive integer or Infinity',
  accepts: (value) => positiveInteger.accepts(value) || value === Number.POSITIVE_INFINITY,
};

const backoff: Check = {
  expected:
    'a duration, a list of durations, { exponential: { first, factor, max } }, or a function; none longer than 400 days',
  accepts: isBackoffPolicy,
};

export const RETRY_FIELDS: Fields = {
  tries,
  backoff,
  jitter: share,
  maxExceptions: positiveInteger,
  retryFor: duration,
  retryUntil: callable,
  on: errorRules,
};
