/**
 * Joins key parts with ':', escaped so that different parts never give the same key. Only the last part may
 * contain any character unescaped.
 */
export function joined(...texts: readonly [...string[], string]): string {
  const last = texts.length - 1;
  return texts
    .map((text, index) => (index < last ? text.replace(/[%:]/g, encodeURIComponent) : text))
    .join(':');
}
