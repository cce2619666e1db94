import type { CircuitBreakerOptions } from '../src/features/circuit-breaker/circuit-breaker.js';
import { annotationsAt } from './metadata.js';

/**
 * Pauses the handler's queue when it fails too often, and tries one message at a time until it succeeds. On a class it is
 * the default of its methods, of which each is judged by itself.
 */
export function CircuitBreaker(
  options: CircuitBreakerOptions = {},
): (target: object, method?: string | symbol) => void {
  return (target, method) => {
    const annotations = method === undefined ? annotationsAt(target) : annotationsAt(target, method);
    annotations.circuitBreaker = options;
  };
}
