import type { MessageContext } from '../message/context.js';
import { type Check, callable, duration, type Fields, positiveInteger } from '../util/check.js';
import { type Duration, toMsOrForever } from '../util/duration.js';
import { type BackoffPolicy, isBackoffPolicy } from './backoff.js';
import { type ErrorRule, errorRules } from './error-rules.js';

/**
 * Retry policy: when a failed message is tried again, and when it is given up. Whichever limit is reached first
 * ends the retries.
 */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface RetryOptions<Payload = any> {
  /**
   * Maximum attempts, the first included. `Infinity` needs another limit: `maxExceptions`, `retryFor` or
   * `retryUntil`. @default 5
   */
  tries?: number;
  /**
   * Pause before the next attempt, 100 ms to 400 days; the broker holds the message meanwhile. A pause that is
   * a level of the delay queues (1 s, 4 s, 16 s, 30 s, 1 min, 2 min …) costs one hop. 0 runs the next attempt
   * at once in this process. A function that throws or returns no duration means 60 s, and is logged. @default
   * ['1s', '4s', '16s', '1m', '4m']
   */
  backoff?: BackoffPolicy;
  /** Share of the pause, 0 to 1, up to which it is shortened at random. @default 0 */
  jitter?: number;
  /** Maximum throws after which the message is given up; releases don't count. @default no limit of its own */
  maxExceptions?: number;
  /**
   * Maximum time of pauses and running attempts after which the message is given up. Time that the message
   * waits in a queue that is behind or paused doesn't count, and a wrong clock has no effect. @default no limit
   */
  retryFor?: Duration;
  /**
   * Function that returns the moment at which the message is given up. Called before each attempt; if it throws
   * or returns no date, no limit applies, and a warning is logged. @default no limit
   */
  retryUntil?: (payload: Payload, context: MessageContext) => Date;
  /** Rules for some errors; the first rule that matches applies. @default [] */
  on?: readonly ErrorRule[];
}

/** A policy with its defaults filled in. */
export interface RetryPolicy extends Required<Omit<RetryOptions, 'retryUntil'>> {
  readonly retryUntil: RetryOptions['retryUntil'] | undefined;
  /** True if a timeout gives the message up at once. */
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

/**
 * Merges policies field by field: the handler's, its class's, the bus's, the default. The first given value of
 * a field wins.
 */
export function retryPolicy(
  ...options: readonly (Partial<RetryPolicy> | RetryOptions | undefined)[]
): RetryPolicy {
  return Object.assign({}, RETRY_DEFAULTS, ...options.toReversed().map(withoutUndefined));
}

function withoutUndefined(options: object | undefined): object {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined));
}

/** Problem of a whole policy, or undefined: every message must end. */
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
