import { isUtf8 } from 'node:buffer';
import type { DeadLetter } from '../../../failures/letters/dead-letter.js';
import { headersJson } from '../../../failures/letters/letter-json.js';
import { reasonText } from '../../../util/text/error-text.js';
import { type EditableText, editableText, MOST_EDITABLE } from '../../letters/editable-text.js';
import type { Site } from '../../site/site.js';

/** A letter as a form has it. */
export interface Editable {
  readonly body: EditableText;
  readonly headers: EditableText;
  /** Between the lines of the body: browsers send `\r\n` for any. */
  readonly lineEnd: '\n' | '\r\n';
}

/** Characters that a form gives back otherwise than it got them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const CHANGED_BY_FORMS = /^\n|\r(?!\n)|\u0000/;

/** @returns why it can't be edited in a form, if it can't */
export async function editableOf(
  letter: DeadLetter,
  site: Site,
): Promise<Editable | { readonly problem: string }> {
  const plain = await plainOf(letter, site);
  if (!Buffer.isBuffer(plain)) return plain;
  const { redaction } = site.letters;
  if (plain.length > MOST_EDITABLE)
    return { problem: `Its body is larger than ${MOST_EDITABLE / 1024} kB. ${OTHERWISE}` };
  const source = isUtf8(plain) ? plain.toString('utf8') : undefined;
  if (source === undefined) return { problem: `Its body is not text. ${OTHERWISE}` };
  const body = editableText(source, redaction);
  const hasBoth = /\r\n/.test(source) && /(^|[^\r])\n/.test(source);
  if (!body.isJson && (hasBoth || CHANGED_BY_FORMS.test(source)))
    return { problem: `Its body has characters that a form would change. ${OTHERWISE}` };
  return {
    body,
    headers: editableText(JSON.stringify(headersJson(letter)), redaction),
    lineEnd: source.includes('\r\n') && !body.isJson ? '\r\n' : '\n',
  };
}

const OTHERWISE = 'Export it with hopline failed export, change the line, and import that.';

async function plainOf(letter: DeadLetter, site: Site): Promise<Buffer | { readonly problem: string }> {
  if (letter.encryptedWith === undefined) return letter.body;
  try {
    return await (await site.failures()).decrypted(letter);
  } catch (error) {
    return { problem: `Its body is encrypted with the key '${letter.encryptedWith}'. ${reasonText(error)}` };
  }
}

/** What a form has sent, with the line ends of what it got. */
export const sentText = (form: FormData, name: string, lineEnd = '\n'): string =>
  String(form.get(name) ?? '')
    .replaceAll('\r\n', '\n')
    .replaceAll('\n', lineEnd);
