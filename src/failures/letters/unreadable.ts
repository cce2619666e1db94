import type { Session } from '../../transport/transport.js';

/**
 * Dead letters of a queue that end each connection over which they are delivered. They can't be read; the
 * others can.
 */
export interface UnreadableLetter {
  readonly deadQueue: string;
  /** Number of such letters, which are first in the queue after it was read. */
  readonly count: number;
  /** Number of all letters in the queue. */
  readonly waiting: number;
  /** Error of the lost connection. */
  readonly error: unknown;
}

/** By queue, as last read over a session. */
const found = new WeakMap<Session, Map<string, UnreadableLetter>>();

export function rememberUnreadable(session: Session, letter: UnreadableLetter): void {
  const known = found.get(session) ?? new Map<string, UnreadableLetter>();
  found.set(session, known);
  known.set(letter.deadQueue, letter);
}

export function forgetUnreadable(session: Session, deadQueue: string): void {
  found.get(session)?.delete(deadQueue);
}

export function unreadableIn(session: Session, deadQueue: string): UnreadableLetter | undefined {
  return found.get(session)?.get(deadQueue);
}
