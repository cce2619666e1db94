import type { LettersAsked } from './group.js';
import type { Kept } from './indexed.js';

/** Characters of a text that is searched for. */
const MOST_TEXT = 200;

/** Texts that many letters share: each is looked at once. */
const SHARED = ['routingKey', 'error', 'handler', 'chainId', 'batchId', 'replay'] as const;
const OWN = ['id', 'messageId', 'correlationId', 'traceId'] as const;

/** Test for one letter of the index. */
export function searchOf({ group, queue, reason, text }: LettersAsked): (letter: Kept) => boolean {
  const occurs = text === undefined || text === '' ? undefined : occurrenceOf(text.slice(0, MOST_TEXT));
  return (letter) => {
    if (group !== undefined && letter.group !== group) return false;
    if (queue !== undefined && letter.queue !== queue && letter.deadQueue !== queue) return false;
    if (reason !== undefined && letter.reason !== reason) return false;
    return occurs === undefined || occurs(letter);
  };
}

function occurrenceOf(text: string): (letter: Kept) => boolean {
  const pattern = new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`), 'i');
  const known = new Map<string, boolean>();
  const inShared = (value: string): boolean => {
    const found = known.get(value) ?? pattern.test(value);
    known.set(value, found);
    return found;
  };
  return (letter) =>
    OWN.some((name) => letter[name] !== undefined && pattern.test(letter[name])) ||
    SHARED.some((name) => letter[name] !== undefined && inShared(letter[name]));
}
