import { setTimeout as pause } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Milliseconds until it gives up; also bounds a call of `fn` that never settles. Default 10,000. */
  timeout?: number;
  /** Milliseconds between two calls. Default 20. */
  interval?: number;
}

/**
 * Waits for a condition: calls `fn` until it neither throws nor returns `false`, and returns what it returned.
 *
 * @throws the last error of `fn` once the time is over, so that a failed assertion shows its own difference
 */
export async function eventually<T>(
  fn: () => T | Promise<T>,
  { timeout = 10_000, interval = 20 }: EventuallyOptions = {},
): Promise<Exclude<T, false>> {
  let lastError: unknown = new Error(`the condition was still pending after ${timeout} ms`);
  const overtime = new AbortController();
  const givenUp = pause(timeout, 'given up' as const, { signal: overtime.signal });
  givenUp.catch(() => {}); // aborted below, once nobody listens any more
  try {
    while (!overtime.signal.aborted) {
      const outcome = await Promise.race([attempt(fn), givenUp]);
      if (outcome === 'given up') break;
      if ('value' in outcome) return outcome.value;
      lastError = outcome.error ?? new Error(`the condition was still false after ${timeout} ms`);
      if ((await Promise.race([pause(interval), givenUp])) === 'given up') break;
    }
  } finally {
    overtime.abort();
  }
  throw lastError;
}

type Attempt<T> = { value: Exclude<T, false> } | { error: unknown };

async function attempt<T>(fn: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    const value = await fn();
    return value === false ? { error: undefined } : { value: value as Exclude<T, false> };
  } catch (error) {
    return { error };
  }
}
