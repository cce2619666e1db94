import { isUtf8 } from 'node:buffer';
import { isJson } from './json-text.js';
import { printJson } from './print-json.js';
import type { Redaction } from './redaction.js';
import { visibleText } from './visible-text.js';

/** A body as it is shown: plain text, of a bounded length whatever it is. */
export interface DrawnBody {
  /** `bytes` is not UTF-8, and shown in hexadecimal. */
  readonly form: 'empty' | 'json' | 'text' | 'bytes';
  readonly text: string;
  /** True if there is more than is shown. */
  readonly isCut: boolean;
}

/** Characters that are shown. */
const MOST = 64 * 1024;
/** Bytes that are looked at: indented, they are more than what is shown, unless they are mostly space. */
const LOOKED_AT = 256 * 1024;
/** Characters behind the cut that are looked at. */
const BEHIND_CUT = 4 * 1024;
const HEX_BYTES = 2048;

/** Draws a body in a time that its size doesn't change but for one look at its bytes. */
export function drawBody(body: Buffer, redaction: Redaction): DrawnBody {
  if (body.length === 0) return { form: 'empty', text: '', isCut: false };
  if (!isUtf8(body)) return { form: 'bytes', text: hexOf(body, redaction), isCut: body.length > HEX_BYTES };
  const isPart = body.length > LOOKED_AT;
  const source = body.subarray(0, isPart ? wholeCharacters(body, LOOKED_AT) : undefined).toString('utf8');
  const json = isPart || isJson(source) ? printJson(source, { most: MOST, redaction, isPart }) : undefined;
  if (json) return { form: 'json', text: visibleText(json.text), isCut: json.isCut };
  // A value that the cut goes through must be hidden, too: the names are looked for first, and the text is cut then.
  const text = redaction.inText(source.slice(0, MOST + BEHIND_CUT));
  const isCut = source.length > MOST + BEHIND_CUT || text.length > MOST;
  return { form: 'text', text: visibleText(isCut ? `${text.slice(0, MOST)}…` : text), isCut };
}

/** The largest length up to `most` that ends no character in its middle. */
function wholeCharacters(body: Buffer, most: number): number {
  let end = most;
  while (end > 0 && ((body[end] as number) & 0xc0) === 0x80) end -= 1;
  return end;
}

/** Sixteen bytes on a line, with their place and what of them is ASCII. A secret has stars in place of its bytes: most of it may be text. */
function hexOf(body: Buffer, redaction: Redaction): string {
  const isHidden = redaction.hiddenIn(body.toString('latin1', 0, HEX_BYTES + BEHIND_CUT));
  const lines: string[] = [];
  for (let at = 0; at < Math.min(body.length, HEX_BYTES); at += 16) {
    const row = [...body.subarray(at, Math.min(at + 16, HEX_BYTES))];
    const hex = row.map((byte, index) => (isHidden(at + index) ? '**' : byte.toString(16).padStart(2, '0')));
    const ascii = row.map((byte, index) => (isHidden(at + index) ? '*' : asciiOf(byte)));
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.join(' ').padEnd(47)}  ${ascii.join('')}`);
  }
  return lines.join('\n');
}

const asciiOf = (byte: number): string => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.');
