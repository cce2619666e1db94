/**
 * Whether a topic pattern takes a routing key. Written apart from the library, so that the account can hold it to
 * something that it has not worked out itself.
 */
export function takes(pattern: string, key: string): boolean {
  return takesWords(pattern.split('.'), key.split('.'));
}

function takesWords(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return words.length === 0;
  // `#` is no word, or one and then `#` again.
  if (first === '#')
    return takesWords(rest, words) || (words.length > 0 && takesWords(pattern, words.slice(1)));
  if (words.length === 0 || (first !== '*' && first !== words[0])) return false;
  return takesWords(rest, words.slice(1));
}
