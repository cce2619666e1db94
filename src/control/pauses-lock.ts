import { TopologyError } from '../errors.js';
import type { Names } from '../topology/names.js';
import type { Listening, OperatorSession } from '../transport/operator-session.js';
import { type Clock, pause } from '../util/clock.js';
import { Deadline } from '../util/deadline.js';

/** Time within which another holder of the lock is done. */
const LOCK_MS = 10_000;
const LOCK_AGAIN_MS = 50;

/**
 * A lock for changing the list of paused queues: an exclusive queue, which one session can have. It is deleted
 * with the session's connection.
 *
 * @throws TopologyError if others hold the lock all the time, or the broker refuses it
 */
export async function pausesLock(
  session: Pick<OperatorSession, 'listen'>,
  names: Names,
  clock: Clock,
): Promise<Listening> {
  const name = `${names.control}.lock`;
  const deadline = new Deadline(clock, LOCK_MS);
  for (;;) {
    try {
      return await session.listen(
        { exchange: names.controlTo, key: name, queueName: () => name },
        { heard: () => {}, back: () => {} },
      );
    } catch (error) {
      if (!(error instanceof TopologyError && isTaken(error)) || deadline.expired) throw error;
      await pause(clock, LOCK_AGAIN_MS);
    }
  }
}

/**
 * True if another connection holds the lock, or this one does, or its queue was deleted with its holder between
 * two steps of taking it.
 */
const isTaken = ({ message }: TopologyError): boolean =>
  /RESOURCE.LOCKED|in exclusive use|NOT.FOUND - no queue/.test(message);
