import type { HandlerOptions } from '../src/consume/definition.js';
import type { Duration } from '../src/util/duration.js';
import { annotationsAt } from './metadata.js';

/** Options of `@Timeout`. */
export type TimeoutOptions = Pick<HandlerOptions, 'failOnTimeout'>;

/**
 * How long one attempt may run before `context.signal` fires and the attempt counts as failed. Its slot is free when it
 * returns, or when `timeoutGrace` is over: then it may go on beside its next attempt. On a class it is the default of
 * its methods. @default the bus's, 60 s
 */
export function Timeout(
  timeout: Duration,
  options: TimeoutOptions = {},
): (target: object, method?: string | symbol) => void {
  return (target, method) => {
    const annotations = method === undefined ? annotationsAt(target) : annotationsAt(target, method);
    annotations.timeout = { timeout, ...options };
  };
}
