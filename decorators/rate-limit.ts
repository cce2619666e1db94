import type { RateLimitOptions } from '../src/features/rate-limit/rate-limit.js';
import { annotationsAt } from './metadata.js';

/**
 * How often a handler may begin, over all processes that share the bus's `stores`. A message above that comes back when
 * there may be room for it; that is no try. On a class it is the default of its methods, of which each has its own.
 */
export function RateLimit<Payload>(
  options: RateLimitOptions<Payload>,
): (target: object, method?: string | symbol) => void {
  return (target, method) => {
    const annotations = method === undefined ? annotationsAt(target) : annotationsAt(target, method);
    annotations.rateLimit = options;
  };
}
