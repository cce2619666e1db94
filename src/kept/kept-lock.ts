import { TopologyError } from '../errors.js';
import type { Listening, OperatorSession } from '../transport/operator-session.js';
import { type Clock, pause } from '../util/clock.js';
import { Deadline } from '../util/deadline.js';

/** Time within which another holder of the lock is done. */
const LOCK_MS = 10_000;
const LOCK_AGAIN_MS = 50;

/**
 * A lock between processes: an exclusive queue, which one session can have. It is deleted with the session's connection, so that
 * nobody waits for a process that is gone.
 *
 * @throws TopologyError if others hold the lock all the time, or the broker refuses it
 */
export async function keptLock(
  session: Pick<OperatorSession, 'listen'>,
  name: string,
  clock: Clock,
): Promise<Listening> {
  const deadline = new Deadline(clock, LOCK_MS);
  for (;;) {
    try {
      return await session.listen(
        { exchange: '', key: name, queueName: () => name },
        { heard: () => {}, back: () => {} },
      );
    } catch (error) {
      if (!isTaken(error) || deadline.expired) throw error;
      await pause(clock, LOCK_AGAIN_MS);
    }
  }
}

/** The same for who has something to say of it: undefined if others hold the lock all the time. */
export async function takenLock(
  session: Pick<OperatorSession, 'listen'>,
  name: string,
  clock: Clock,
): Promise<Listening | undefined> {
  try {
    return await keptLock(session, name, clock);
  } catch (error) {
    if (isTaken(error)) return undefined;
    throw error;
  }
}

/**
 * True if another connection holds the lock, or this one does, or its queue was deleted with its holder between
 * two steps of taking it.
 */
const isTaken = (error: unknown): boolean =>
  error instanceof TopologyError &&
  /RESOURCE.LOCKED|in exclusive use|NOT.FOUND - no queue/.test(error.message);
