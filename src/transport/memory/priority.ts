import type { QueueArguments } from '../../topology/plan.js';
import type { StoredMessage } from './stored-message.js';

/** What RabbitMQ 4.3 takes a message for that says no priority, and its highest. */
const QUORUM_DEFAULT = 4;
const QUORUM_HIGHEST = 31;

/**
 * The priority that a queue gives a message. A classic queue goes by its `x-max-priority`. A quorum queue does as
 * RabbitMQ 4.3 if its plan asks for priorities, and otherwise keeps the order of arrival as every version before it:
 * what works here without `maxPriority` would not work there.
 */
export function priorityIn(
  args: QueueArguments,
  maxPriority: number | undefined,
  message: StoredMessage,
): number {
  const { priority } = message.properties;
  const highest = args['x-max-priority'];
  if (highest !== undefined) return Math.min(priority ?? 0, highest);
  if (args['x-queue-type'] === 'classic' || maxPriority === undefined) return 0;
  return Math.min(priority ?? QUORUM_DEFAULT, QUORUM_HIGHEST);
}
