import { HandlerTimeoutError, UnrecoverableError } from '../errors.js';
import type { DeadLetterReason } from '../events.js';
import { MAX_DELAY_MS, MIN_DELAY_MS } from '../message/delay-range.js';
import { toMsOrForever } from '../util/duration.js';
import { isA } from '../util/error-text.js';
import { backoffMs, type OnOddAnswer } from './backoff.js';
import { ruleFor } from './error-rules.js';
import type { RetryPolicy } from './policy.js';

/** A failed attempt, as far as the decision needs to know it. */
export interface FailedAttempt {
  readonly error: unknown;
  /** 1 for the first. */
  readonly attempt: number;
  /** Throws so far, this one included. */
  readonly exceptions: number;
  /** Milliseconds of attempts and pauses since the first attempt began. */
  readonly sinceFirstMs: number;
  /** Milliseconds until the moment that `retryUntil` names; Infinity if it names none. */
  readonly leftMs: number;
}

type GiveUpReason = Extract<DeadLetterReason, 'exhausted' | 'unrecoverable' | 'expired' | 'timeout'>;

export type RetryDecision =
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'give-up'; readonly reason: GiveUpReason }
  /** A rule of the policy drops the message. */
  | { readonly kind: 'discard' };

/**
 * Whether a failed message is tried again, and after how long. Pure but for the jitter, whose source can be given.
 * Never allows more than `tries` attempts, nor one that would begin after `retryFor` or `retryUntil`.
 *
 * @param onOdd told when a function of the policy answers nonsense
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
  // It says that trying again can't help; no rule knows better.
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
