import { HandlerTimeoutError, UnrecoverableError } from '../errors.js';
import type { DeadLetterReason } from '../events.js';
import { MAX_DELAY_MS, MIN_DELAY_MS } from '../message/delay-range.js';
import { toMsOrForever } from '../util/duration.js';
import { isA } from '../util/text/error-text.js';
import { backoffMs, type OnOddAnswer } from './backoff.js';
import { ruleFor } from './error-rules.js';
import type { RetryPolicy } from './policy.js';

/** The facts of a failed attempt that the decision needs. */
export interface FailedAttempt {
  readonly error: unknown;
  /** Number of the attempt, starting at 1. */
  readonly attempt: number;
  /** Throws so far, this one included. */
  readonly exceptions: number;
  /** Milliseconds of attempts and pauses since the first attempt began. */
  readonly sinceFirstMs: number;
  /** Milliseconds until the moment that `retryUntil` returned; Infinity without one. */
  readonly leftMs: number;
}

type GiveUpReason = Extract<DeadLetterReason, 'exhausted' | 'unrecoverable' | 'expired' | 'timeout'>;

export type RetryDecision =
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'give-up'; readonly reason: GiveUpReason }
  /** A rule of the policy drops the message. */
  | { readonly kind: 'discard' };

/**
 * Decides whether a failed message is tried again, and after which pause. Pure except for the jitter, whose
 * source is a parameter. Never allows more than `tries` attempts, nor one that would begin after `retryFor` or
 * `retryUntil`.
 *
 * @param onOdd called if a function of the policy returns nonsense or throws
 */
export function decide(
  policy: RetryPolicy,
  failure: FailedAttempt,
  random: () => number = Math.random,
  onOdd?: OnOddAnswer,
): RetryDecision {
  const { error, attempt, exceptions, sinceFirstMs, leftMs } = failure;
  const rule = ruleFor(policy.on, error, onOdd);
  if (rule?.then === 'discard') return { kind: 'discard' };
  // An UnrecoverableError takes precedence over a rule that says `retry`.
  if (isA(error, UnrecoverableError) || rule?.then === 'dead-letter') return giveUp('unrecoverable');
  if (policy.failOnTimeout && isA(error, HandlerTimeoutError)) return giveUp('timeout');
  if (attempt >= policy.tries || exceptions >= policy.maxExceptions) return giveUp('exhausted');
  const pauseMs = backoffMs(rule?.backoff ?? policy.backoff, attempt, error, onOdd);
  const delayMs = jittered(pauseMs, policy.jitter, random);
  if (sinceFirstMs + delayMs > toMsOrForever(policy.retryFor) || delayMs > leftMs) return giveUp('expired');
  return { kind: 'retry', delayMs };
}

function giveUp(reason: GiveUpReason): RetryDecision {
  return { kind: 'give-up', reason };
}

function jittered(delayMs: number, jitter: number, random: () => number): number {
  const shortened = delayMs * (1 - jitter * random());
  return delayMs === 0 ? 0 : Math.min(MAX_DELAY_MS, Math.max(MIN_DELAY_MS, Math.round(shortened)));
}
