import { UnrecoverableError } from '../errors.js';
import type { DeadLetterReason } from '../events.js';
import { MAX_DELAY_MS, MIN_DELAY_MS } from '../message/delay-range.js';
import { isDuration, toMs, toMsOrForever } from '../util/duration.js';
import type { BackoffPolicy, RetryPolicy } from './policy.js';

/** A failed attempt, as far as the decision needs to know it. */
export interface FailedAttempt {
  readonly error: unknown;
  /** 1 for the first. */
  readonly attempt: number;
  /** Throws so far, this one included. */
  readonly exceptions: number;
  /** Milliseconds since the first attempt began. */
  readonly sinceFirstMs: number;
}

export type RetryDecision =
  | { readonly kind: 'retry'; readonly delayMs: number }
  | {
      readonly kind: 'give-up';
      readonly reason: Extract<DeadLetterReason, 'exhausted' | 'unrecoverable' | 'expired'>;
    };

/**
 * Whether a failed message is tried again, and after how long. Pure but for the jitter, whose source can be given.
 * Never allows more than `tries` attempts, nor one that would begin after `retryFor` is over.
 */
export function decide(
  policy: RetryPolicy,
  failure: FailedAttempt,
  random: () => number = Math.random,
): RetryDecision {
  if (failure.error instanceof UnrecoverableError) return { kind: 'give-up', reason: 'unrecoverable' };
  if (failure.attempt >= policy.tries || failure.exceptions >= policy.maxExceptions) {
    return { kind: 'give-up', reason: 'exhausted' };
  }
  const delayMs = jittered(backoffMs(policy.backoff, failure), policy.jitter, random);
  if (failure.sinceFirstMs + delayMs > toMsOrForever(policy.retryFor))
    return { kind: 'give-up', reason: 'expired' };
  return { kind: 'retry', delayMs };
}

function jittered(delayMs: number, jitter: number, random: () => number): number {
  const shortened = delayMs * (1 - jitter * random());
  return delayMs === 0 ? 0 : Math.min(MAX_DELAY_MS, Math.max(MIN_DELAY_MS, Math.round(shortened)));
}

function backoffMs(policy: BackoffPolicy, { attempt, error }: FailedAttempt): number {
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
