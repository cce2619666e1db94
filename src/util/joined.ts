/** Texts as one, by colons: others give another. Only the last may hold any characters unescaped. */
export function joined(...texts: readonly [...string[], string]): string {
  const last = texts.length - 1;
  return texts
    .map((text, index) => (index < last ? text.replace(/[%:]/g, encodeURIComponent) : text))
    .join(':');
}
