/** Makes text of others harmless for a terminal: control characters are shown, not obeyed. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(2, '0');
    return `\\x${code}`;
  });
}

/** {@link printable} text on one line. */
export const oneLine = (text: string): string => printable(text.replaceAll(/\s*[\r\n]+\s*/g, ' '));

/** `encrypted, key k1`. */
export const encryptionText = ({ encryptedWith }: { readonly encryptedWith: string | undefined }): string =>
  encryptedWith === undefined ? '-' : `encrypted, key ${encryptedWith}`;

/** Formats a moment so that people and `sort` can read it; UTC, as in server logs. */
export const timeText = (date: Date | undefined): string =>
  date
    ? date
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z')
    : '-';

/** Formats a body: JSON indented, other text unchanged, bytes as hexadecimal. */
export function bodyText(body: Buffer): string {
  const text = body.toString('utf8');
  if (!Buffer.from(text).equals(body)) return hex(body);
  try {
    return printable(JSON.stringify(JSON.parse(text), undefined, 2));
  } catch {
    return printable(text);
  }
}

const HEX_SHOWN = 512;

function hex(body: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(body.length, HEX_SHOWN); at += 16) {
    const row = body.subarray(at, at + 16);
    lines.push(`${at.toString(16).padStart(6, '0')}  ${row.toString('hex').replaceAll(/(..)(?=.)/g, '$1 ')}`);
  }
  if (body.length > HEX_SHOWN) lines.push(`… ${body.length} bytes in all; --raw writes them`);
  return lines.join('\n');
}
