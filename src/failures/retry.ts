import type { TransportSession } from '../transport/transport.js';
import type { Act } from './acting.js';
import { missing } from './missing-queue.js';
import type { FailuresSettings } from './options.js';
import { queueLookup } from './queue-lookup.js';
import { type ReplayTarget, republished, toQueue } from './replay.js';

/** How one dead letter is replayed: published and confirmed; whoever asks acks it then. */
export function retrier(settings: FailuresSettings, session: TransportSession, to: ReplayTarget): Act {
  const { names, publishDeadlineMs } = settings;
  const exists = queueLookup(session);
  return async (letter) => {
    const { queue } = letter;
    if (to === 'republish' || queue === undefined) {
      await session.publish(republished(letter, publishDeadlineMs));
      return;
    }
    // The delays' alternate exchange takes what has no queue: it would count as replayed, and lie in the lost queue.
    if (!(await exists(queue))) throw missing(queue);
    await session.publish(toQueue(names, letter, queue, publishDeadlineMs));
  };
}
