/** What stands for a hidden value. */
export const HIDDEN = '‹redacted›';

/** What stands for a hidden value: with its number where it can be put back. */
export const hiddenAs = (number: number | undefined): string =>
  number === undefined ? HIDDEN : `‹redacted ${number}›`;

/** A name of at most so many letters is too often a part of a harmless word: `ssn` is in `className`. */
const SHORT = 4;

/** A name in text that is not JSON, and the sign before its value: of a line, a query, a form, or JSON that is a text in JSON. */
const NAME = /(?<![\w.-])([\w.-]{1,80})(?:\\{0,7}["'])?\s{0,8}([:=])\s{0,8}/g;
/** What was hidden before. */
const MARK = /‹redacted(?: \d{1,6})?›/y;
/** Lines below a name in YAML; else a value ends where the next name may begin. */
const VALUE =
  /[|>][-+\d]{0,3}[ \t]*(?:\n(?:[ \t]+[^\n]*)?)+|"(?:[^"\\\n]+|\\.)*"?|\\{1,7}"[^"\n]*"?|[^\s,;&<>][^\n,;&<>]*/y;
/** Headers whose values have commas, semicolons and names of their own. */
const WHOLE_LINE = /(?:cookie|authorization)$/i;
const LINE = /[^\n]+/y;
const ELEMENT = /(<([\w:.-]{1,80})(?:\s[^<>]{0,200})?>)([^<]+)/g;
/**
 * User and password of an address, or a token in their place. A slash of a password that should have been encoded does not end it; one
 * after a port does: `http://localhost:80/@scope`.
 */
const LOGIN =
  /(:\/\/)([^\s/?#"'<>]{1,400}(?=@)|[^\s:@/]{0,200}:(?!\d{2,5}\/)(?:[^\s@"'<>/]|\/(?!\/)){1,200}(?=@))/g;
/** Keys and certificates, also without their end. */
const PEM = /-----BEGIN [A-Z0-9 ]{1,60}-----(?:[\s\S]*?-----END [A-Z0-9 ]{1,60}-----|[\s\S]*)/g;

/** Stands for each character of a hidden value: in no text, since it is no character. */
const MASK = '\uffff';

type Hide = (value: string) => string;

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
    return this.replaced(text, (value) => hiddenAs(taken?.push(value)));
  }

  /** For each character whether {@link inText} hides it. */
  hiddenIn(text: string): (at: number) => boolean {
    const masked = this.replaced(text, (value) => MASK.repeat(value.length));
    return (at) => masked[at] === MASK;
  }

  private replaced(text: string, hide: Hide): string {
    const elements = text
      .replace(PEM, hide)
      .replace(LOGIN, (_, before: string, login: string) => `${before}${hide(login)}`)
      .replace(ELEMENT, (whole, before: string, name: string, value: string) =>
        this.hides(name) ? `${before}${hide(value)}` : whole,
      );
    return this.inPairs(elements, hide);
  }

  /** The value of a name that is not hidden is looked through, too: `error: password=…`. */
  private inPairs(text: string, hide: Hide): string {
    let [shown, from] = ['', 0];
    for (const {
      0: { length },
      1: name = '',
      2: sign,
      index,
    } of text.matchAll(NAME)) {
      if (index < from || !this.hides(name)) continue;
      const value = valueAt(text, index + length, sign === ':' && WHOLE_LINE.test(name));
      if (value === '') continue;
      shown += `${text.slice(from, index + length)}${hide(value)}`;
      from = index + length + value.length;
    }
    return shown + text.slice(from);
  }
}

/** '' for one that is hidden already. */
function valueAt(text: string, at: number, isLine: boolean): string {
  const isQuoted = text[at] === '"' || text[at] === '\\';
  const pattern = isLine && !isQuoted ? LINE : VALUE;
  MARK.lastIndex = at;
  pattern.lastIndex = at;
  return MARK.test(text) ? '' : (pattern.exec(text)?.[0] ?? '');
}

const letters = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** `cardCVV_2` → `card`, `cvv`, `2`. */
const wordsOf = (field: string): string[] =>
  field
    .slice(0, 200)
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .map((word) => word.toLowerCase());
