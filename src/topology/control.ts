import type { Names } from './names.js';
import type { TopologyPlan } from './plan.js';

/**
 * What control messages need: a fanout exchange to all workers, a direct one back to who has asked, and a queue that holds
 * one message, the newest: which queues are paused. Whoever wants to know takes it and gives it back, so it has no delivery
 * limit that could be reached. Nothing is bound to it: who may write it is who may use the default exchange, and no service. A
 * service may take the message away, though: reading is no less.
 */
export function planControl(names: Names): TopologyPlan {
  return {
    exchanges: [
      { name: names.control, type: 'fanout' },
      { name: names.controlTo, type: 'direct' },
    ],
    queues: [
      {
        name: names.paused,
        arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000_000, 'x-max-length': 1 },
      },
    ],
    bindings: [],
  };
}
