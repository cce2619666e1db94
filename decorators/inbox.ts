import type { IdempotentOptions } from '../src/features/idempotent/option.js';
import { annotationsAt } from './metadata.js';

/**
 * Lets a handler work in one database transaction, `context.transaction`: what it does there, that it has handled the message,
 * and what its context publishes are committed together. On a class it is the default of its methods, of which each knows
 * its own messages.
 */
export function Inbox<Payload>(
  options: IdempotentOptions<Payload> = {},
): (target: object, method?: string | symbol) => void {
  return (target, method) => {
    const annotations = method === undefined ? annotationsAt(target) : annotationsAt(target, method);
    annotations.inbox = options;
  };
}
