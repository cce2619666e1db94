/** Cuts a text to at most `maxBytes` of UTF-8; a text that was cut ends in `…`. */
export function cutText(text: string, maxBytes: number): string {
  // A UTF-16 unit is at least one byte, so the rest of a very long text need not be encoded.
  const start = text.length > maxBytes ? text.slice(0, maxBytes) : text;
  const bytes = Buffer.from(start);
  if (start === text && bytes.length <= maxBytes) return text;
  // A cut may split a character; its remains decode as U+FFFD.
  return `${bytes
    .subarray(0, maxBytes - 3)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`;
}

/** Cuts a text to at most `maxLength` UTF-16 units, about the characters on a line; a text that was cut ends in `…`. */
export function cutLine(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`;
}
