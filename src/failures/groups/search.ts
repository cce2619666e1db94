import type { LettersAsked } from './group.js';
import type { Kept } from './indexed.js';

/** Characters of a text that is searched for. */
const MOST_TEXT = 200;

/** Texts that many letters share: each is looked at once. */
const wordsOf = ({ common, belongs }: Kept): readonly (string | undefined)[] =>
  belongs === undefined
    ? [common.routingKey, common.handler]
    : [common.routingKey, common.handler, belongs.chainId, belongs.batchId, belongs.replay];

/** Test for one letter of the index. */
export function searchOf({ group, queue, reason, text, in: whole }: LettersAsked): (letter: Kept) => boolean {
  const occurs = text === undefined || text === '' ? undefined : occurrenceOf(text.slice(0, MOST_TEXT));
  return (letter) => {
    const { common, belongs } = letter;
    if (group !== undefined && common.group !== group) return false;
    if (queue !== undefined && common.queue !== queue && common.deadQueue !== queue) return false;
    if (whole !== undefined && belongs?.[whole === 'chain' ? 'chainId' : 'batchId'] === undefined)
      return false;
    if (reason !== undefined && common.reason !== reason) return false;
    return occurs === undefined || occurs(letter);
  };
}

function occurrenceOf(given: string): (letter: Kept) => boolean {
  const text = given.toLowerCase();
  const pattern = new RegExp(given.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`), 'i');
  const known = new Map<string, boolean>();
  const inShared = (value: string | undefined): boolean => {
    if (value === undefined) return false;
    const found = known.get(value) ?? value.toLowerCase().includes(text);
    known.set(value, found);
    return found;
  };
  return (letter) =>
    letter.own.includes(text) ||
    (letter.error !== undefined && pattern.test(letter.error)) ||
    wordsOf(letter).some(inShared);
}
