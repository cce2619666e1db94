/**
 * What `next` makes of a value, at once if it is there, else when it is. For what is asked of others that may have the
 * answer at hand: a promise for each would cost more than the answer.
 */
export function after<T, U>(value: T | PromiseLike<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
  return isThenable(value) ? Promise.resolve(value).then(next) : next(value);
}

export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** A promise that nobody waits for: one that rejects would end the process. Anything else, and it does nothing. */
export function disregard(value: unknown): void {
  try {
    if (value instanceof Promise) Promise.prototype.then.call(value, undefined, () => {});
  } catch {
    // A revoked proxy is no promise.
  }
}
