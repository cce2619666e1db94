/** A text of at most so many bytes of UTF-8, which ends in `…` if it was longer. */
export function cutText(text: string, maxBytes: number): string {
  // No unit of UTF-16 is less than a byte: what may be very long is not encoded whole.
  const start = text.length > maxBytes ? text.slice(0, maxBytes) : text;
  const bytes = Buffer.from(start);
  if (start === text && bytes.length <= maxBytes) return text;
  // Cutting bytes may halve a character; what is left of it decodes as U+FFFD.
  return `${bytes
    .subarray(0, maxBytes - 3)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`;
}
