/*
 * Names of others in code. A queue may be called whatever its owner likes: none of it may end the literal or the comment that it stands
 * in, nor show something else than there is.
 */

/** Controls, marks that turn the direction of writing, ends of lines, and halves of characters. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

const escapedAs = (character: string): string =>
  [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('');

/** A string literal that stands for just this text. */
export const stringLiteral = (text: string): string =>
  `'${text.replaceAll(/[\\']/g, '\\$&').replaceAll(UNSAFE, escapedAs)}'`;

/** The text as it may stand in a comment of one line. */
export const inComment = (text: string): string => text.replaceAll(UNSAFE, escapedAs);

/** Names for constants, each given once. */
export class Identifiers {
  private readonly taken = new Set<string>();

  /**
   * A name in camel case that ends in `suffix`, by which it is no word of the language.
   *
   * @param text what it is called after; letters and digits of ASCII are used
   */
  take(text: string, suffix: string): string {
    const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
    const camel = words.map((word, at) => (at === 0 ? lowered(word) : raised(word))).join('');
    const plain = camel.toLowerCase().endsWith(suffix.toLowerCase()) ? camel : `${camel}${suffix}`;
    const first = /^[A-Za-z]/.test(plain) ? lowered(plain) : `_${plain}`;
    let name = first;
    for (let number = 2; this.taken.has(name); number += 1) name = `${first}${number}`;
    this.taken.add(name);
    return name;
  }
}

const raised = (word: string): string => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
const lowered = (word: string): string => `${word.charAt(0).toLowerCase()}${word.slice(1)}`;
