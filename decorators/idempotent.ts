import type { IdempotentOptions } from '../src/features/idempotent/option.js';
import { annotationsAt } from './metadata.js';

/**
 * Doesn't handle a message again that was handled before, over all processes that share the bus's `stores`. On a class it is
 * the default of its methods, of which each knows its own messages.
 */
export function Idempotent<Payload>(
  options: IdempotentOptions<Payload> = {},
): (target: object, method?: string | symbol) => void {
  return (target, method) => {
    const annotations = method === undefined ? annotationsAt(target) : annotationsAt(target, method);
    annotations.idempotent = options;
  };
}
