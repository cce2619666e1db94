import type { TransportSession } from '../transport/transport.js';

/** Dead letters of a queue that end each connection that they are delivered over. They can't be read. The others can. */
export interface UnreadableLetter {
  readonly deadQueue: string;
  /** How many they are: the first of the queue, after a look at it. */
  readonly count: number;
  /** How many lay in the queue, with them. */
  readonly waiting: number;
  /** What the connection was lost with. */
  readonly error: unknown;
}

/** By queue, as it was looked at last over a session. */
const found = new WeakMap<TransportSession, Map<string, UnreadableLetter>>();

export function rememberUnreadable(session: TransportSession, letter: UnreadableLetter): void {
  const known = found.get(session) ?? new Map<string, UnreadableLetter>();
  found.set(session, known);
  known.set(letter.deadQueue, letter);
}

export function forgetUnreadable(session: TransportSession, deadQueue: string): void {
  found.get(session)?.delete(deadQueue);
}

export function unreadableIn(session: TransportSession, deadQueue: string): UnreadableLetter | undefined {
  return found.get(session)?.get(deadQueue);
}
