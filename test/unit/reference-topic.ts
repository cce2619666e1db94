import fc from 'fast-check';

/** The protocol's own words (AMQP 0-9-1, section 3.1.3.3) as a recursion: slow, and plain enough to be believed. */
export function referenceMatches(pattern: string, key: string): boolean {
  const matches = (words: readonly string[], rest: readonly string[]): boolean => {
    const [word, ...words2] = words;
    if (word === undefined) return rest.length === 0;
    if (word === '#')
      return rest.some((_, index) => matches(words2, rest.slice(index))) || matches(words2, []);
    const [first, ...rest2] = rest;
    return first !== undefined && (word === '*' || word === first) && matches(words2, rest2);
  };
  return matches(pattern.split('.'), key.split('.'));
}

/** Few words, so that patterns and keys meet; the empty word is one of them. */
const WORDS = ['a', 'b', 'c', ''] as const;

export const keyArbitrary = fc
  .array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 6 })
  .map((words) => words.join('.'));

export const patternArbitrary = fc
  .array(fc.constantFrom(...WORDS, '*', '*', '#', '#'), { minLength: 1, maxLength: 6 })
  .map((words) => words.join('.'));
