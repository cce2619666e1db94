import { InvalidMessageError } from '../../errors.js';

/** Maximum bytes of AMQP's short strings: routing keys and names. */
export const MAX_NAME_BYTES = 255;

/** True for a pattern, or a name that a binding would take for one. */
export const hasWildcard = (pattern: string): boolean =>
  /[*#]/.test(pattern) && pattern.split('.').some((word) => word === '*' || word === '#');

/** Reason why `key` can't be published with; undefined if it can. */
export function routingKeyProblem(key: unknown): string | undefined {
  if (typeof key !== 'string') return `expected the routing key to be a string, got ${typeof key}`;
  if (key === '') return 'the routing key is empty';
  const bytes = Buffer.byteLength(key);
  if (bytes > MAX_NAME_BYTES)
    return `the routing key is ${bytes} bytes long, the protocol allows ${MAX_NAME_BYTES}`;
  if (hasWildcard(key)) {
    return `the routing key '${key}' holds a wildcard word; only patterns may`;
  }
  return undefined;
}

/** @throws InvalidMessageError if it can't be published with */
export function checkRoutingKey(key: unknown): asserts key is string {
  const problem = routingKeyProblem(key);
  if (problem) {
    throw new InvalidMessageError(problem, "Publish with a concrete key such as 'order.placed'.");
  }
}

/** Reason why `pattern` can't be a binding pattern; undefined if it can. */
export function patternProblem(pattern: unknown): string | undefined {
  if (typeof pattern !== 'string') return `expected the pattern to be a string, got ${typeof pattern}`;
  if (pattern === '') return 'the pattern is empty';
  const bytes = Buffer.byteLength(pattern);
  if (bytes > MAX_NAME_BYTES)
    return `the pattern is ${bytes} bytes long, the protocol allows ${MAX_NAME_BYTES}`;
  const odd = pattern.split('.').find((word) => word.length > 1 && /[*#]/.test(word));
  if (odd)
    return `the pattern '${pattern}' holds '${odd}': * and # are wildcards only as whole words between dots`;
  return undefined;
}
