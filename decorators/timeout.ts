import type { Duration } from '../src/util/duration.js';
import { annotationsAt } from './metadata.js';

/**
 * How long one attempt may run before `context.signal` fires and the attempt counts as failed. On a class it is the
 * default of its methods. @default the bus's, 60 s
 */
export function Timeout(timeout: Duration): (target: object, method?: string | symbol) => void {
  return (target, method) => {
    const annotations = method === undefined ? annotationsAt(target) : annotationsAt(target, method);
    annotations.timeout = timeout;
  };
}
