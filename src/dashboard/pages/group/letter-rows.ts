import type { IndexedLetter } from '../../../failures/groups/group.js';
import { lineOfOthers } from '../../letters/lines-of-others.js';
import type { Redaction } from '../../letters/redaction.js';
import type { LetterRow } from './model.js';

/** Larger ones don't come along with another: they would push out what is read. */
const SMALL = 64 * 1024;

/** An indexed letter as plain JSON. */
export function letterRowOf(letter: IndexedLetter, redaction: Redaction): LetterRow {
  const { id, deadQueue, routingKey, reason, attempts, bytes, version, replay, handler } = letter;
  return {
    ...{ id, deadQueue, routingKey, reason, attempts, bytes, version, replay, handler },
    error: letter.error === undefined ? undefined : lineOfOthers(letter.error, redaction),
    failedAt: letter.failedAt?.getTime(),
  };
}

/** Letters that are worth to be read along with one of the same queue. */
export const alongWith = (deadQueue: string, letters: readonly IndexedLetter[]): string[] =>
  letters.filter((each) => each.deadQueue === deadQueue && each.bytes <= SMALL).map(({ id }) => id);
