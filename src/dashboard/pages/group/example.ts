import type { IndexedLetter } from '../../../failures/groups/group.js';
import { blockOfOthers } from '../../letters/lines-of-others.js';
import type { Site } from '../../site/site.js';
import { alongWith } from './letter-rows.js';
import type { ExampleModel } from './model.js';

/** Characters of a stack that are shown. */
const MOST = 16 * 1024;

/** Error and stack of a letter, as they came; the letters of the page come along. */
export async function exampleOf(
  site: Site,
  letter: IndexedLetter,
  others: readonly IndexedLetter[],
): Promise<ExampleModel> {
  const { id, deadQueue } = letter;
  const along = alongWith(deadQueue, others);
  const read = await site.letters.read({ deadQueue, id, failedAt: letter.failedAt?.getTime(), along });
  const [whole] = read.state === 'read' ? read.copies : [];
  const error = whole?.error ?? letter.error;
  const texts = [error, whole?.stack].map((text) => shown(text, site));
  return {
    letter: { id, deadQueue },
    state: read.state,
    problem: read.state === 'failed' ? read.problem : undefined,
    error: texts[0]?.text,
    stack: texts[1]?.text,
    isCut: texts.some((text) => text?.isCut),
  };
}

function shown(text: string | undefined, { letters: { redaction } }: Site) {
  if (text === undefined) return undefined;
  return { text: blockOfOthers(text, redaction, MOST), isCut: text.length > MOST };
}
