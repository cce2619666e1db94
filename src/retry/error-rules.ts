import { type Check, isPlainObject, show } from '../util/check.js';
import { isA } from '../util/error-text.js';
import { hearRejection } from '../util/hear-rejection.js';
import { type BackoffPolicy, isBackoffPolicy, type OnOddAnswer } from './backoff.js';

/** A class of errors, or a function that tells whether an error is meant. */
export type ErrorMatcher =
  // biome-ignore lint/suspicious/noExplicitAny: an error class by its constructor, whatever that takes
  (abstract new (...args: any[]) => unknown) | ((error: unknown) => boolean);

/** What a policy does about some errors only. */
export interface ErrorRule {
  /** A class (its subclasses included), or a predicate; one that throws, or gives a promise, matches nothing, and is logged. */
  readonly error: ErrorMatcher;
  /**
   * `dead-letter` gives up at once, as `unrecoverable`; `discard` drops the message, without a dead letter and without
   * `failed()`; `retry` goes on as the policy says, with a backoff of its own if it has one.
   */
  readonly then: 'dead-letter' | 'retry' | 'discard';
  /** For `retry`: instead of the policy's. */
  readonly backoff?: BackoffPolicy;
}

/** The first rule that is meant for an error. */
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
  // Of an async one nobody awaits the answer.
  hearRejection(answer);
  onOdd(`the predicate of a rule gave ${show(answer)}, not true or false: it matches nothing`);
  return false;
}

/** Else it is a predicate. Classes that are no errors are told by how they are written: they can't be called. */
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
