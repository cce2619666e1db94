import { UnreadableLettersError } from '../../errors.js';

/** Operations on a queue whose letters are separated. A loss is reported when the letters of the lost connection are back. */
export interface Ring {
  /** Takes letters from the head and holds them until the end; if the connection is lost, they go behind all others. */
  hold(count: number): Promise<Taken>;
  /** Takes letters from the head and gives them back: they go behind all others, also if the connection is lost. */
  turn(count: number): Promise<void>;
}

export interface Taken {
  /** Letters that came; after a loss, at most the readable ones at the head. */
  readonly seen: number;
  /** Error of the lost connection. */
  readonly error?: Error | undefined;
}

/** Limit, since each costs about four connections, and more where a loss takes along readable letters before it. */
const MOST_UNREADABLE = 10;

/**
 * Separates a queue's letters: those that can be delivered are held, those that end their connection are left.
 * The letters of a lost connection go behind the others, in their order, so a queue that was delivered once
 * from end to end behaves like a ring. A known unreadable letter is passed by; a part that contains an unknown
 * one is turned to the head again, and taken in smaller parts.
 *
 * @param total number of letters in the ring
 * @param hint number of letters at the head that are known to be readable
 * @returns number of letters that are left: the ring contains only these
 * @throws UnreadableLettersError if there are too many
 */
export async function separateUnreadable(
  ring: Ring,
  queue: string,
  total: number,
  hint: number,
): Promise<number> {
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
      // More than one of them is rare.
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
    `more than ${MOST_UNREADABLE} of the ${total} dead letters in '${queue}' end each connection over which they are delivered: that many can't be bypassed`,
    cause,
  );
