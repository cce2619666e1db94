import { cutLine } from '../../util/text/cut-text.js';
import type { Redaction } from './redaction.js';
import { visibleText } from './visible-text.js';

/** Characters that are looked at, of texts that are as long as others want them. */
const LOOKED_AT = 4_000;

/** Longest line of a table, in UTF-16 units. */
const LONGEST = 300;

/**
 * A text that others have written, such as an error, as one line of a page: without secrets, with nothing in it that can't be seen, and
 * cut. Each model shows such texts through this, or {@link blockOfOthers}.
 */
export const lineOfOthers = (text: string, redaction: Redaction, longest: number = LONGEST): string =>
  cutLine(
    visibleText(redaction.inText(text.slice(0, LOOKED_AT)))
      .trim()
      .replaceAll(/\n\s*/g, ' '),
    longest,
  );

/** The same with its lines, such as a stack. */
export const blockOfOthers = (text: string, redaction: Redaction, longest: number): string =>
  visibleText(redaction.inText(text.length > longest ? `${text.slice(0, longest)}…` : text));
