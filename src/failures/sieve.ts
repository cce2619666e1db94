import { UnreadableLettersError } from '../errors.js';

/** What a sieve does to a queue. A loss is told when what was taken over it is back. */
export interface Ring {
  /** Takes so many from the head and holds them until the end, if it can; else they are behind all others. */
  hold(count: number): Promise<Taken>;
  /** Takes so many from the head and gives them back, whether it can or not: they are behind all others. */
  turn(count: number): Promise<void>;
}

export interface Taken {
  /** How many came; before a loss, no more than were readable from the head on. */
  readonly seen: number;
  /** What the connection was lost with. */
  readonly error?: Error | undefined;
}

/** Each costs about four connections, and more where a lost one takes along what was readable before it. */
const MOST_UNREADABLE = 10;

/**
 * Parts a queue's letters: those that can be delivered are held, those that end their connection are left. What a lost
 * connection had goes behind the others, in its order, so a queue that was handed out once from end to end is a ring: one
 * that is known is left behind, and a part in which there is one is turned to the head again, and taken in smaller parts.
 *
 * @param total how many lie in the ring
 * @param hint how many from the head on are readable, as far as known
 * @returns how many are left: the ring has none but these
 * @throws UnreadableLettersError if they are too many
 */
export async function sift(ring: Ring, queue: string, total: number, hint: number): Promise<number> {
  let waiting = total;
  let left = 0;
  let next = Math.max(1, hint);
  let grown = 1;
  while (waiting > 0) {
    const count = Math.min(next, waiting);
    const { seen, error } = await ring.hold(count);
    if (!error) {
      waiting -= count;
      next = grown;
      grown *= 2;
    } else if (count === 1) {
      waiting -= 1;
      left += 1;
      if (left > MOST_UNREADABLE) throw tooMany(queue, total, error);
      // More of them are rare.
      next = waiting;
    } else {
      await ring.turn(waiting - count + left);
      next = Math.max(1, Math.min(seen, count - 1));
      grown = 1;
    }
  }
  return left;
}

const tooMany = (queue: string, total: number, cause: Error) =>
  new UnreadableLettersError(
    queue,
    `more than ${MOST_UNREADABLE} of the ${total} dead letters in '${queue}' end each connection over which they are delivered: so many are not gone around`,
    cause,
  );
