import { type Check, isPlainObject, show } from '../util/check.js';
import { handleRejection } from '../util/handle-rejection.js';
import { isA } from '../util/text/error-text.js';
import { type BackoffPolicy, isBackoffPolicy, type OnOddAnswer } from './backoff.js';

/** A class of errors, or a function that returns true for the errors that are meant. */
export type ErrorMatcher =
  // biome-ignore lint/suspicious/noExplicitAny: an error class by its constructor, whatever that takes
  (abstract new (...args: any[]) => unknown) | ((error: unknown) => boolean);

/** Rule of a retry policy for some errors. */
export interface ErrorRule {
  /**
   * Class of the errors (subclasses included), or a predicate. A predicate that throws or returns a promise
   * matches nothing, and is logged.
   */
  readonly error: ErrorMatcher;
  /**
   * Action: `dead-letter` gives up at once, as `unrecoverable`; `discard` drops the message, without a dead
   * letter and without `failed()`; `retry` follows the policy, with the rule's own backoff if it has one.
   */
  readonly then: 'dead-letter' | 'retry' | 'discard';
  /** Backoff for `retry`. @default the policy's */
  readonly backoff?: BackoffPolicy;
}

/** First rule that matches an error. */
export function ruleFor(
  rules: readonly ErrorRule[],
  error: unknown,
  onOdd: OnOddAnswer = () => {},
): ErrorRule | undefined {
  return rules.find((rule) => matches(rule.error, error, onOdd));
}

function matches(matcher: ErrorMatcher, error: unknown, onOdd: OnOddAnswer): boolean {
  if (isErrorClass(matcher)) return isA(error, matcher);
  let answer: unknown;
  try {
    answer = (matcher as (error: unknown) => unknown)(error);
  } catch (thrown) {
    onOdd('the predicate of a rule has thrown: it matches nothing', { error: thrown });
    return false;
  }
  if (answer === true || !answer) return answer === true;
  // The answer of an async predicate is not awaited.
  handleRejection(answer);
  onOdd(`the predicate of a rule returned ${show(answer)}, not true or false: it matches nothing`);
  return false;
}

/** True for a class, false for a predicate. A class that is not an Error is recognised by its source text: it can't be called. */
function isErrorClass(matcher: ErrorMatcher): matcher is abstract new (...args: never[]) => unknown {
  const { prototype } = matcher as { prototype?: unknown };
  return prototype instanceof Error || prototype === Error.prototype || /^class\b/.test(String(matcher));
}

const RULE_OPTIONS = ['error', 'then', 'backoff'];

export const errorRules: Check = {
  expected:
    "a list of { error: a class or a predicate, then: 'dead-letter', 'retry' or 'discard', backoff? (with retry) }",
  accepts: (value) => Array.isArray(value) && value.every(isRule),
};

function isRule(value: unknown): boolean {
  if (!isPlainObject(value) || typeof value.error !== 'function') return false;
  if (Object.keys(value).some((name) => !RULE_OPTIONS.includes(name))) return false;
  if (value.backoff !== undefined && !(value.then === 'retry' && isBackoffPolicy(value.backoff)))
    return false;
  return ['dead-letter', 'retry', 'discard'].includes(value.then as string);
}
