import { countText } from '../../ui/text.js';

/** Says what the picture says. */
export function sparklineText(parts: readonly number[], span = 'day'): string {
  const all = parts.reduce((sum, part) => sum + part, 0);
  if (all === 0) return `none within the last ${span}`;
  return `${countText(all)} within the last ${span}, ${countText(parts.at(-1) ?? 0)} of them at its end`;
}
