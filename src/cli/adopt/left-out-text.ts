import { countText, numberText } from '../../util/text/count-text.js';
import type { LeftOut } from './found-vhost.js';

/** Names that are given of what is left out for the same reason. */
const MOST_NAMES = 3;

/** What is left out, and why: a line for each kind and reason. */
export function leftOutTexts(leftOut: readonly LeftOut[]): string[] {
  const groups = new Map<string, LeftOut[]>();
  for (const each of leftOut) {
    const key = JSON.stringify([each.kind, each.why]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].map((group) => {
    const [{ kind, why } = { kind: 'queue', why: '' }] = group;
    const names = group.slice(0, MOST_NAMES).map(({ name }) => JSON.stringify(name));
    const more = group.length - names.length;
    const rest = more > 0 ? ` and ${numberText(more)} more` : '';
    return `${countText(group.length, kind)} (${names.join(', ')}${rest}): ${why}`;
  });
}
