import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import { AroundUnreadable } from './around-unreadable.js';
import { missing } from './missing-queue.js';
import type { WalkOptions } from './walk-options.js';

/*
 * Reading dead letters: they are taken un-acked, in order, and given back by closing the channels that hold
 * them. The broker puts each back in its old place. One nack for all would do the same with one more call to
 * wait for.
 *
 * All letters of a queue are taken before any is given back, even if fewer would do. RabbitMQ keeps returned
 * messages in a list of their own, and appends those that are returned again to its end: a part of a queue that
 * was read before, taken alone, comes back behind the rest. (So do the letters that a killed process held, a
 * thousand at most.)
 *
 * While a reader holds letters, nobody else gets them: two readers of one queue at the same time see a part
 * each, and a consumer on the queue takes what it gets. Neither loses anything.
 */

/**
 * Takes every letter that is in a queue when the walk begins, once, and gives back those that were not acked.
 * Letters that arrive later are ignored, so a message that fails again during a replay is not replayed again.
 *
 * @returns number of letters it has seen
 * @throws TopologyError if there is no such queue
 * @throws UnreadableLettersError if too many letters end their connection
 * @throws WalkInterrupted, ConnectError
 */
export async function walk<T>(session: Session, clock: Clock, options: WalkOptions<T>): Promise<number> {
  if (options.signal?.aborted) return 0;
  const state = await session.inspect(options.queue);
  if (!state) throw missing(options.queue);
  const around = new AroundUnreadable(session, clock, options, state.ready);
  return options.act ? around.act() : around.look();
}
