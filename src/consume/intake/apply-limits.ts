import type { LimitsInForce } from '../../features/limits/limits-in-force.js';
import type { Dispatcher } from '../attempt/dispatch.js';
import type { Handler } from '../handlers/subscription.js';
import type { Gate } from './gate.js';

export interface LimitedParts {
  readonly dispatcher: Pick<Dispatcher, 'relimit'>;
  readonly gate: Pick<Gate, 'limit'>;
}

/** Applies limits that have changed: to the handlers' stages, and to how many of their messages run at once. */
export function applyLimits(
  handlers: readonly Handler[],
  limits: LimitsInForce,
  { dispatcher, gate }: LimitedParts,
): void {
  for (const handler of handlers) {
    dispatcher.relimit(handler);
    // The limit of a handler that has one over all processes is that one.
    gate.limit(handler, handler.permits ? undefined : limits.concurrencyOf(handler));
  }
}
