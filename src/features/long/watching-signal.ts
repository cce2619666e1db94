import type { AttemptLease } from '../../pipeline/lease.js';

/**
 * Lets each look at a signal look at its lease first: of a process that has stood still the handler's own timers may fire before the
 * lease's, and what it looks at is the signal that it has kept.
 */
export function watching(signal: AbortSignal, lease: AttemptLease | undefined): void {
  if (!lease) return;
  Object.defineProperties(signal, {
    aborted: {
      get: () => {
        // Aborts it if the lease is lost.
        void lease.isHeld;
        return Reflect.get(AbortSignal.prototype, 'aborted', signal) as boolean;
      },
    },
    throwIfAborted: {
      value: () => {
        if (signal.aborted) throw signal.reason;
      },
    },
  });
}
