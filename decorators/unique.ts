import type { UniqueOptions } from '../src/message/unique.js';
import { annotationsAt } from './metadata.js';

/**
 * A `send` of the same bus that goes to the handler is refused with a `NotUniqueError` while another with the same key waits
 * or runs; or, with `keep: 'last'`, only the newest of them is handled. Other services know nothing of it: say it in the
 * message's definition for them. On a class it is the default of its methods.
 */
export function Unique<Payload>(
  options: UniqueOptions<Payload> = {},
): (target: object, method?: string | symbol) => void {
  return (target, method) => {
    const annotations = method === undefined ? annotationsAt(target) : annotationsAt(target, method);
    annotations.unique = options;
  };
}
