import { TopologyError } from '../../errors.js';

/** Error for a queue that does not exist. */
export function missing(queue: string): TopologyError {
  return new TopologyError(
    `queue '${queue}'`,
    `there is no queue '${queue}'`,
    'Check the name, and the vhost of the url; the queue is declared when its service starts for the first time.',
  );
}
