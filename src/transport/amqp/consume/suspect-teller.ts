import { errorText } from '../../../util/text/error-text.js';
import type { SessionOptions } from '../../transport.js';
import type { SuspectListener } from './suspects.js';

/** Losses between two log lines, after the first. */
const TELL_EVERY = 25;

/** Reports to a bus, and its log, that one of its queues may end connections. */
export function suspectTeller(queue: string, { service, events, log }: SessionOptions): SuspectListener {
  let isGuilty = false;
  return {
    suspected: (error) => {
      log.warn(
        { queue, error: errorText(error) },
        'the connection was lost again while the other one stayed up: a message of this queue may be the cause, and the queue is consumed over a separate connection until that is known',
      );
      events.emit('consumer.suspected', { service, queue, error });
    },
    guilty: (error, losses, retryInMs) => {
      if (!isGuilty || losses % TELL_EVERY === 0)
        log.error(
          { queue, losses, retryInMs, error },
          'a message of this queue ends each connection; the other queues go on',
        );
      isGuilty = true;
      events.emit('consumer.guilty', { service, queue, error, losses, retryInMs });
    },
    cleared: () => {
      log.info({ queue }, 'this queue is consumed with the others again');
      isGuilty = false;
      events.emit('consumer.cleared', { service, queue });
    },
  };
}
