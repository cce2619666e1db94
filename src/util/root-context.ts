import { AsyncResource } from 'node:async_hooks';

/** The async context of the import of this module, which is nobody's if a program imports it at its top. */
const root = new AsyncResource('HOPLINE_ROOT');

/**
 * Begins work that outlives its caller: a connection, a timer, a consumer. In the caller's async context, a
 * trace span or an `AsyncLocalStorage`, everything that follows from the work would stay in there.
 */
export function inRootContext<T>(begin: () => T): T {
  return root.runInAsyncScope(inOwn, undefined, begin) as T;
}

/** A context for this call alone: `enterWith` in it would otherwise change the root for everything after it. */
function inOwn<T>(begin: () => T): T {
  return new AsyncResource('HOPLINE_BACKGROUND').runInAsyncScope(begin);
}
