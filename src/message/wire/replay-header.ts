import { HEADER } from '../headers.js';
import type { Headers } from '../properties.js';

/*
 * The header `hopline-replay`, as JSON: the replay that the message is part of, and that it is tried once. It is believed only where
 * nobody but Hopline publishes. A message that is retried, released or dead-lettered keeps it; the next plain replay leaves it out.
 */

/** Mark of a message that was replayed under somebody's eyes: it is tried once, and how that went is reported. */
export interface ReplayMark {
  /** Id of the replay: 1 to 64 letters, digits, `-` or `_`. */
  readonly id: string;
}

const ID = /^[\w-]{1,64}$/;

/** Longest text that is read: a mark is shorter. */
const MOST_LENGTH = 200;

/** The header's text. */
export const encodeReplay = ({ id }: ReplayMark): string => JSON.stringify({ id, once: true });

/** Mark of a message; undefined if it has none, or one that this version can't read: it is then a message like others. */
export function replayIn(headers: Readonly<Headers>): ReplayMark | undefined {
  const text = headers[HEADER.replay];
  if (typeof text !== 'string' || text.length > MOST_LENGTH) return undefined;
  try {
    const { id, once } = (JSON.parse(text) ?? {}) as { id?: unknown; once?: unknown };
    return once === true && typeof id === 'string' && ID.test(id) ? { id } : undefined;
  } catch {
    return undefined;
  }
}
