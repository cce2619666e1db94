import { TopologyError } from '../errors.js';
import type { Names } from '../topology/names.js';
import type { Listening, TransportSession } from '../transport/transport.js';
import { type Clock, pause } from '../util/clock.js';
import { Deadline } from '../util/deadline.js';

/** Whoever changes the pauses at the same time is done within this time. */
const LOCK_MS = 10_000;
const LOCK_AGAIN_MS = 50;

/**
 * A queue that one session alone may have: who has it may change the pauses. It goes with its connection.
 *
 * @throws TopologyError if somebody else has it all the time, or the broker refuses it
 */
export async function pausesLock(session: TransportSession, names: Names, clock: Clock): Promise<Listening> {
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

/** By another connection; on this one; or it went away, with whoever had it, between two steps of taking it. */
const isTaken = ({ message }: TopologyError): boolean =>
  /RESOURCE.LOCKED|in exclusive use|NOT.FOUND - no queue/.test(message);
