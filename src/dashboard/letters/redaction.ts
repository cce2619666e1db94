/** What stands for a hidden value. */
export const HIDDEN = '‹redacted›';
const HIDDEN_BEGINS = '‹redacted';

/** What stands for a hidden value: with its number where it can be put back. */
export const hiddenAs = (number: number | undefined): string =>
  number === undefined ? HIDDEN : `${HIDDEN_BEGINS} ${number}›`;

/** A name of at most so many letters is too often a part of a harmless word: `ssn` is in `className`. */
const SHORT = 4;

/** A name in text that is not JSON, and the sign before its value: of a line, a query, a form. */
const NAME = /(?<![\w.-])([\w.-]{1,80})["']?\s{0,8}[:=]\s{0,8}/g;
/** It ends where the next name may begin. */
const VALUE = /"(?:[^"\\\n]|\\.){0,4000}"?|[^\s,;&<>][^\n,;&<>]{0,4000}/y;
const ELEMENT = /(<([\w:.-]{1,80})(?:\s[^<>]{0,200})?>)([^<]{1,4000})/g;
/** User and password of an address. */
const LOGIN = /(:\/\/)([^\s:@/]{0,200}:[^\s@/]{1,200})@/g;

/**
 * Hides values by the names of their fields. `apikey` hides `apiKey`, `x-api-key` and `stripe_api_key_2`; a name of four letters or
 * fewer hides whole words alone. In text without structure it is a guess, which rather hides too much.
 */
export class Redaction {
  private readonly names: readonly string[];

  constructor(names: readonly string[]) {
    this.names = names.map(letters).filter((name) => name !== '');
  }

  hides(field: string): boolean {
    const word = letters(field);
    return this.names.some((name) =>
      name.length > SHORT ? word.includes(name) : word === name || wordsOf(field).includes(name),
    );
  }

  /**
   * Hides what looks like a hidden field, in text of any form. Linear in the length of the text.
   *
   * @param taken the hidden values are added to it, and have their number in it in the text: see {@link hiddenAs}
   */
  inText(text: string, taken?: string[]): string {
    const hide = (value: string) => hiddenAs(taken?.push(value));
    const elements = text
      .replace(LOGIN, (_, before: string, login: string) => `${before}${hide(login)}@`)
      .replace(ELEMENT, (whole, before: string, name: string, value: string) =>
        this.hides(name) ? `${before}${hide(value)}` : whole,
      );
    return this.inPairs(elements, hide);
  }

  /** The value of a name that is not hidden is looked through, too: `error: password=…`. */
  private inPairs(text: string, hide: (value: string) => string): string {
    let [shown, from] = ['', 0];
    for (const {
      0: { length },
      1: name = '',
      index,
    } of text.matchAll(NAME)) {
      VALUE.lastIndex = index + length;
      if (index < from || !this.hides(name)) continue;
      const [value = ''] = VALUE.exec(text) ?? [];
      if (value === '' || value.startsWith(HIDDEN_BEGINS)) continue;
      shown += `${text.slice(from, index + length)}${hide(value)}`;
      from = index + length + value.length;
    }
    return shown + text.slice(from);
  }
}

const letters = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** `cardCVV_2` → `card`, `cvv`, `2`. */
const wordsOf = (field: string): string[] =>
  field
    .slice(0, 200)
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .map((word) => word.toLowerCase());
