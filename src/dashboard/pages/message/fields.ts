import type { DeadLetter } from '../../../failures/letters/dead-letter.js';
import { headersJson, propertiesJson } from '../../../failures/letters/letter-json.js';
import { cutLine } from '../../../util/text/cut-text.js';
import { printJson } from '../../letters/print-json.js';
import { hiddenAs, type Redaction } from '../../letters/redaction.js';
import { visibleText } from '../../letters/visible-text.js';
import type { Fields } from './model.js';

const MOST_ROWS = 200;
const LONGEST = 2_000;

/** Headers of the publisher as text, their types shown where the value alone would mislead. */
export function headerFields(letter: DeadLetter, redaction: Redaction): Fields {
  const headers = headersJson(letter, { isForEyes: true });
  const pairs: readonly (readonly [unknown, unknown])[] = Array.isArray(headers)
    ? headers
    : Object.entries(headers);
  return fieldsOf(
    pairs.map(([name, value]) => [typeof name === 'string' ? name : JSON.stringify(name), value]),
    redaction,
  );
}

export const propertyFields = (letter: DeadLetter, redaction: Redaction): Fields =>
  fieldsOf(Object.entries(propertiesJson(letter)), redaction);

function fieldsOf(pairs: readonly (readonly [string, unknown])[], redaction: Redaction): Fields {
  const rows = pairs.slice(0, MOST_ROWS).map(([name, value]) => ({
    name: cutLine(visibleText(name), LONGEST),
    value: redaction.hides(name)
      ? hiddenAs(undefined)
      : cutLine(visibleText(textOf(value, redaction)), LONGEST),
  }));
  return { rows, count: pairs.length };
}

/** A text without quotes: what looks like a number and is text is told by its header in JSON, in the form for editing. */
function textOf(value: unknown, redaction: Redaction): string {
  if (typeof value === 'string') return redaction.inText(value.slice(0, 2 * LONGEST));
  const json = JSON.stringify(value) ?? '';
  return printJson(json, { most: LONGEST, redaction })?.text.replaceAll(/\n\s*/g, ' ') ?? json;
}
