import { AsyncResource } from 'node:async_hooks';
import { HandlerTimeoutError } from '../../errors.js';
import type { Attempt } from '../../pipeline/attempt.js';
import { isThenable } from '../../util/after.js';
import type { Clock, Timer } from '../../util/clock.js';
import { formatMs } from '../../util/duration.js';

/** End of an attempt's code. */
export type Ending =
  | { readonly kind: 'returned' }
  | { readonly kind: 'threw'; readonly error: unknown }
  | {
      readonly kind: 'timed-out';
      readonly error: HandlerTimeoutError;
      /** Resolves when the code returns that was left running when its grace was over; undefined if it has stopped. */
      readonly leftRunning?: Promise<void>;
    };

const RETURNED: Ending = { kind: 'returned' };

/** Code of a handler, and the time it has. Made once for each handler. */
export interface TimedCode {
  readonly name: string;
  readonly run: (payload: unknown, context: Attempt) => unknown;
  readonly timeoutMs: number;
  /** Milliseconds that the code may go on after the timeout before its slot is freed. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** Called at the timeout, which may be long before the ending. */
  readonly onTimeout: (context: Attempt, error: HandlerTimeoutError) => void;
}

/**
 * Runs a handler's code to its end, or to the end of its time. Costs no promise and no timer if the code returns
 * at once.
 *
 * It begins in the async context of its message, but in one of its own: what it enters there for good, as with
 * `enterWith()` of an `AsyncLocalStorage`, reaches neither other messages nor a later attempt at this one.
 *
 * At the timeout the context's signal fires; the ending comes when the code stops or when the grace is over. In the
 * latter case the code may go on beside the message's next attempt: nothing can stop it from outside.
 */
export function runHandler(code: TimedCode, payload: unknown, context: Attempt): Ending | Promise<Ending> {
  let result: unknown;
  try {
    result = new AsyncResource('HOPLINE_HANDLER').runInAsyncScope(code.run, undefined, payload, context);
    // Asking is part of it: what was returned may throw when it is asked.
    if (!isThenable(result)) return RETURNED;
  } catch (error) {
    return { kind: 'threw', error };
  }
  return awaitHandler(code, result, context);
}

function awaitHandler(code: TimedCode, result: PromiseLike<unknown>, context: Attempt): Promise<Ending> {
  const { clock } = code;
  return new Promise((resolve) => {
    let timedOut: Ending | undefined;
    let onReturn: (() => void) | undefined;
    let timer: Timer = clock.setTimer(() => {
      const error = new HandlerTimeoutError(code.name, formatMs(code.timeoutMs));
      const ending: Ending = { kind: 'timed-out', error };
      timedOut = ending;
      timer = clock.setTimer(() => {
        const leftRunning = new Promise<void>((returned) => {
          onReturn = returned;
        });
        resolve({ ...ending, leftRunning });
      }, code.graceMs);
      code.onTimeout(context, error);
      context.abort(error);
    }, code.timeoutMs);
    const end = (ending: Ending) => {
      timer.cancel();
      onReturn?.();
      resolve(timedOut ?? ending);
    };
    const threw = (error: unknown) => end({ kind: 'threw', error });
    try {
      result.then(() => end(RETURNED), threw);
    } catch (error) {
      // Another library's promise.
      threw(error);
    }
  });
}
