import type { QueueArguments } from '../../topology/plan.js';
import type { StoredMessage } from './stored-message.js';

/** RabbitMQ 4.3's priority for messages without one, and its highest. */
const QUORUM_DEFAULT = 4;
const QUORUM_HIGHEST = 31;

/**
 * Priority of a message in a queue. A classic queue uses its `x-max-priority`. A quorum queue behaves as on
 * RabbitMQ 4.3 if its plan has priorities; otherwise it keeps the order of arrival as every earlier version
 * does, so that code without `maxPriority` can't rely on more here than there.
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
