import { randomUUID } from 'node:crypto';
import { bindingKeyOf } from '../message/routing/binding-option.js';
import { MAX_NAME_BYTES } from '../message/routing/routing-key.js';
import type { QueueNeeds } from './bus-topology.js';
import { duePatternsOf } from './delays.js';
import type { Names } from './names.js';
import type { ProcessQueuePlan, QueueArguments } from './plan.js';

/** Words that set the processes' queues apart, as a regular expression of the broker's. */
export const PROCESS_WORD = '[\\da-f-]{36}';

/** Name of a process's queue without the word of the process; any other name as it is. */
export const sharedNameOf = (queue: string): string => queue.replace(new RegExp(`\\.${PROCESS_WORD}$`), '');

/** Longest name of such a queue, without the word of the process: the whole is a short string of the protocol. */
export const MAX_PROCESS_NAME_BYTES = MAX_NAME_BYTES - '.00000000-0000-0000-0000-000000000000'.length;

/** A name that no queue has had: the broker may still keep the queue of a lost connection. */
export const processQueueOf = (queue: string): string => `${queue}.${randomUUID()}`;

/** Arguments of such a queue. */
export const processQueueArguments = ({ name, deadExchange }: ProcessQueuePlan): QueueArguments => ({
  'x-queue-type': 'classic',
  'x-dead-letter-exchange': deadExchange,
  'x-dead-letter-routing-key': name,
});

/**
 * Delayed messages come straight from the last exchange of the delays, without a quorum queue in front: that could not go with the
 * process.
 */
export function planProcessQueue(names: Names, { name, bindings }: QueueNeeds): ProcessQueuePlan {
  return {
    name,
    deadExchange: names.dead,
    bindings: [
      { source: names.land, pattern: name },
      ...bindings.flatMap((needs) => {
        const { exchange, pattern, binding } = needs;
        const source = exchange.name;
        return [
          {
            source,
            pattern: bindingKeyOf(exchange, pattern, binding),
            ...(binding?.arguments && { arguments: binding.arguments }),
          },
          ...duePatternsOf(needs, source).map((due) => ({ source: names.delayOut, pattern: due })),
        ];
      }),
    ],
  };
}
