import type { RetryOptions } from '../src/retry/policy.js';
import { annotationsAt } from './metadata.js';

/** When a failed message is tried again. On a class it is the default of its methods, option by option. */
export function Retry<Payload>(
  options: RetryOptions<Payload>,
): (target: object, method?: string | symbol) => void {
  return (target, method) => {
    const annotations = method === undefined ? annotationsAt(target) : annotationsAt(target, method);
    annotations.retry = { ...annotations.retry, ...options };
  };
}
