/** Names of fields whose values are hidden unless told otherwise. */
export const REDACTED_BY_DEFAULT: readonly string[] = [
  ...['password', 'passwd', 'passphrase', 'secret', 'token', 'authorization', 'cookie', 'credential'],
  ...['apikey', 'accesskey', 'privatekey', 'cardnumber', 'creditcard', 'iban', 'cvv', 'cvc', 'ssn'],
];

export const HIDDEN = '‹redacted›';

/** A name of at most so many letters is too often a part of a harmless word: `ssn` is in `className`. */
const SHORT = 4;

/** A name and its value in text that is not JSON: a line, a query, a form. The value ends where the next one may begin. */
const PAIR =
  /(["']?)([\w.-]{1,80})\1(\s{0,8}[:=]\s{0,8})("(?:[^"\\\n]|\\.){0,4000}"?|[^\s,;&<>"'][^\n,;&<>]{0,4000})/g;
const ELEMENT = /(<([\w:.-]{1,80})(?:\s[^<>]{0,200})?>)([^<]{1,4000})/g;
/** User and password of an address. */
const LOGIN = /(:\/\/)[^\s:@/]{0,200}:[^\s@/]{1,200}@/g;

/**
 * Hides values by the names of their fields. `apikey` hides `apiKey`, `x-api-key` and `stripe_api_key_2`; a name of four letters or
 * fewer hides whole words alone. In text without structure it is a guess, which rather hides too much.
 */
export class Redaction {
  private readonly names: readonly string[];

  constructor(names: readonly string[] = REDACTED_BY_DEFAULT) {
    this.names = names.map(letters).filter((name) => name !== '');
  }

  hides(field: string): boolean {
    const word = letters(field);
    return this.names.some((name) =>
      name.length > SHORT ? word.includes(name) : word === name || wordsOf(field).includes(name),
    );
  }

  /** Hides what looks like a hidden field, in text of any form. Linear in the length of the text. */
  inText(text: string): string {
    const hide = (whole: string, name: string, kept: string) =>
      this.hides(name) ? `${kept}${HIDDEN}` : whole;
    return text
      .replace(LOGIN, `$1${HIDDEN}@`)
      .replace(PAIR, (whole, quote: string, name: string, sign: string) =>
        hide(whole, name, `${quote}${name}${quote}${sign}`),
      )
      .replace(ELEMENT, (whole, tag: string, name: string) => hide(whole, name, tag));
  }

  /** A copy in which the hidden fields of objects, at any depth, are {@link HIDDEN}. */
  inValue(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((each) => this.inValue(each));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, this.hides(name) ? HIDDEN : this.inValue(each)]),
    );
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
