import type { Session } from '../../transport/transport.js';
import type { FailuresSettings } from '../options.js';
import { missing } from '../reading/missing-queue.js';
import type { Act } from './acting.js';
import { queueLookup } from './queue-lookup.js';
import { type ReplayTarget, republished, toQueue } from './replay.js';

/** Replays one dead letter: publishes it and waits for the confirm. The caller acks it then. */
export function retrier(settings: FailuresSettings, session: Session, to: ReplayTarget): Act {
  const { publishDeadlineMs } = settings;
  const exists = queueLookup(session);
  return async (letter) => {
    const { queue } = letter;
    if (to === 'republish' || queue === undefined) {
      await session.publish(republished(letter, publishDeadlineMs));
      return;
    }
    // Without this check the alternate exchange of the delays would take the message: it would count as
    // replayed, and be in the lost queue.
    if (!(await exists(queue))) throw missing(queue);
    await session.publish(toQueue(letter, queue, publishDeadlineMs));
  };
}
