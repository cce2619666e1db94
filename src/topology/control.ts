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

/** Time for which a forgotten letter can be restored. */
const TRASH_MS = 24 * 60 * 60_000;

/** Queue of forgotten letters: the broker deletes them one by one when their time is over. */
export const trashQueue = ({ trash }: Pick<Names, 'trash'>): QueuePlan => ({
  name: trash,
  arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000_000, 'x-message-ttl': TRASH_MS },
});

/**
 * Topology of the operators' messages: a fanout exchange to all workers, a direct exchange for the answers, and
 * a queue with one message, the lists of paused queues and of the limits that operators have set. Nothing is bound to the queue: only a
 * user of the default exchange may write it, which no service is. A service could remove the message, though: reading needs the same permission.
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
