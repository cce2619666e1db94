import type { Names } from './names.js';
import type { QueuePlan, TopologyPlan } from './plan.js';

/**
 * A queue for one message, which a newer one replaces. Who reads the message takes it and gives it back, so the queue has no delivery
 * limit.
 */
export const keptQueue = (name: string): QueuePlan => ({
  name,
  arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000_000, 'x-max-length': 1 },
});

/**
 * Topology of the operators' messages: a fanout exchange to all workers, a direct exchange for the answers, and
 * a queue with one message, the list of paused queues. Nothing is bound to the queue: only a user of the default exchange may write it,
 * which no service is. A service could remove the message, though: reading needs the same permission.
 */
export function planControl(names: Names): TopologyPlan {
  return {
    exchanges: [
      { name: names.control, type: 'fanout' },
      { name: names.controlTo, type: 'direct' },
    ],
    queues: [keptQueue(names.paused)],
    bindings: [],
  };
}
