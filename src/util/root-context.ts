import { AsyncResource } from 'node:async_hooks';

/** Of the moment in which this was loaded, as a program does that imports us at its top: in nobody's context. */
const root = new AsyncResource('HOPLINE_ROOT');

/**
 * Begins something that outlives its caller: a connection, a timer, a consumer. Begun in the caller's async context, a
 * span or an `AsyncLocalStorage`'s store, all that ever comes of it would be in there.
 */
export function inRootContext<T>(begin: () => T): T {
  return root.runInAsyncScope(inOwn, undefined, begin) as T;
}

/** One of its own: what is entered in there for good (`enterWith`) would else be in the root for all that comes after. */
function inOwn<T>(begin: () => T): T {
  return new AsyncResource('HOPLINE_BACKGROUND').runInAsyncScope(begin);
}
