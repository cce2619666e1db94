import type { TransportSession } from '../transport/transport.js';
import type { Clock } from '../util/clock.js';
import { Around } from './around.js';
import { missing } from './missing-queue.js';
import type { WalkOptions } from './walk-options.js';

/*
 * How dead letters are looked at: taken un-acked, in order, and given back by closing the channels that hold them. The
 * broker puts each back in its old place. One nack for all would do the same with one call more to wait for.
 *
 * All of a queue is taken before any is given back, even if less would do. RabbitMQ has what was given back before in a
 * line of its own, and what is given back again goes to the end of that: of a queue that was looked at before, a part
 * that is taken alone comes back behind the rest. (So does what a killed process held; a thousand at the most.)
 *
 * While somebody looks, the letters that he holds are nobody else's: two who look at one queue at the same time see a
 * part each, and a consumer that runs on the queue takes what it gets. Nothing is lost by either.
 */

/**
 * Takes every letter that waits in a queue when it begins, once, and gives back what nobody acked. What arrives later is
 * not its concern, so a message that fails again while it is replayed is not replayed again.
 *
 * @returns how many letters it has seen
 * @throws TopologyError if there is no such queue
 * @throws UnreadableLettersError if too many letters end their connection
 * @throws WalkInterrupted, ConnectError
 */
export async function walk<T>(
  session: TransportSession,
  clock: Clock,
  options: WalkOptions<T>,
): Promise<number> {
  if (options.signal?.aborted) return 0;
  const state = await session.inspect(options.queue);
  if (!state) throw missing(options.queue);
  const around = new Around(session, clock, options, state.ready);
  return options.act ? around.act() : around.look();
}
