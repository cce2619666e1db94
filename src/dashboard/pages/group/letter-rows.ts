import type { IndexedLetter } from '../../../failures/groups/group.js';
import { cutLine } from '../../../util/text/cut-text.js';
import type { Redaction } from '../../letters/redaction.js';
import { visibleText } from '../../letters/visible-text.js';
import type { LetterRow } from './model.js';

const LONGEST_ERROR = 300;
/** Larger ones don't come along with another: they would push out what is read. */
const SMALL = 64 * 1024;

/** An indexed letter as plain JSON. */
export function letterRowOf(letter: IndexedLetter, redaction: Redaction): LetterRow {
  const { id, deadQueue, queue, routingKey, reason, attempts, bytes, version, replay, handler } = letter;
  return {
    ...{ id, deadQueue, queue, routingKey, reason, attempts, bytes, version, replay, handler },
    error: letter.error === undefined ? undefined : shortError(letter.error, redaction),
    failedAt: letter.failedAt?.getTime(),
    publishedAt: letter.publishedAt?.getTime(),
  };
}

/** The first line of an error, with nothing in it that must not be shown. */
export const shortError = (error: string, redaction: Redaction): string =>
  cutLine(visibleText(redaction.inText(error.slice(0, 4_000))).split('\n', 1)[0] as string, LONGEST_ERROR);

/** Letters that are worth to be read along with one of the same queue. */
export const alongWith = (deadQueue: string, letters: readonly IndexedLetter[]): string[] =>
  letters.filter((each) => each.deadQueue === deadQueue && each.bytes <= SMALL).map(({ id }) => id);
