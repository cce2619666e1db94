import { firstOfList, nameBeside } from './json-pairs.js';
import { meaningOf } from './json-text.js';
import { hiddenAs, type Redaction } from './redaction.js';

/** JSON as it is shown. */
export interface Printed {
  readonly text: string;
  /** True if there is more than is shown. */
  readonly isCut: boolean;
}

export interface PrintOptions {
  /** Characters of the result, about. @default all */
  readonly most?: number;
  readonly redaction: Redaction;
  /** True if the source is the beginning of a longer text. @default false */
  readonly isPart?: boolean;
  /** The source of hidden values is added to it, and they have their number in it in the result. @default none: they only are hidden */
  readonly taken?: string[];
}

/** Characters of a text behind what is printed of it that are looked at. */
const BEHIND = 4 * 1024;
/** What a text in JSON must have to hide anything in it. */
const MAY_HIDE = /[:=<]|-----BEGIN/;
/** A text that may be JSON itself: of a queue of others, which wraps a body in one of its own. */
const MAY_BE_JSON = /^\s*[{[]/;

const SPACE = /[ \t\r\n]*/y;
const SCALAR = /-?\d[\d.eE+-]*|true|false|null/y;

/**
 * Indents JSON without reading it into memory: it stops when enough is printed, so that a million elements cost no more than a few
 * thousand. What is printed is the source, character by character: a number of twenty digits keeps them, a repeated name is shown twice.
 *
 * @returns undefined for a source that is not JSON, as far as it was looked at
 */
export function printJson(
  source: string,
  { most = Number.POSITIVE_INFINITY, redaction, isPart = false, taken }: PrintOptions,
): Printed | undefined {
  const printer = new Printer(source, most, redaction, taken);
  const end = printer.print();
  if (end === 'wrong' || (end === 'missing' && !isPart)) return undefined;
  const isCut = end !== 'whole' || isPart;
  return { text: isCut ? `${printer.text}…` : printer.text, isCut };
}

/** How printing has ended: with the source, by its limit, in the middle of something, or at what is no JSON. */
type End = 'whole' | 'limit' | 'missing' | 'wrong';

class Printer {
  text = '';
  hasHidden = false;
  private at = 0;
  private readonly open: ('{' | '[')[] = [];
  /** Depths of the lists whose first element is a secret name, and whose second is still to come. */
  private readonly pairs = new Set<number>();
  /** Depth of the hidden field whose value is passed over, and where that begins: what is printed meanwhile is not kept. */
  private hidden: { readonly depth: number; readonly from: number } | undefined;

  constructor(
    private readonly source: string,
    private readonly most: number,
    private readonly redaction: Redaction,
    private readonly taken: string[] | undefined,
  ) {}

  print(): End {
    for (;;) {
      const wrong = this.value();
      if (wrong) return wrong;
      const over = this.closings();
      if (over) return over;
    }
  }

  /** A scalar, or the beginning of an object or a list up to its first value. */
  private value(): End | undefined {
    for (;;) {
      const sign = this.next();
      if (sign === undefined) return 'missing';
      if (sign === '"') return this.string((written) => this.putText(written));
      if (sign !== '{' && sign !== '[') return this.scalar();
      this.at += 1;
      const inner = this.next();
      const closing = sign === '{' ? '}' : ']';
      if (inner === closing) {
        this.at += 1;
        return this.put(`${sign}${closing}`);
      }
      this.open.push(sign);
      if (sign === '[' && !this.hidden && this.redaction.hides(firstOfList(this.source, this.at) ?? ''))
        this.pairs.add(this.open.length);
      const end = this.put(`${sign}${this.line()}`) ?? (sign === '{' ? this.name() : undefined);
      if (end) return end;
    }
  }

  /** What comes after a value: the ends of what it is the last of, and the comma and name before the next. */
  private closings(): End | undefined {
    for (;;) {
      this.endHidden();
      const top = this.open.at(-1);
      const sign = this.next();
      if (top === undefined) return sign === undefined ? 'whole' : 'wrong';
      if (sign === undefined) return 'missing';
      this.at += 1;
      const isSecond = this.pairs.delete(this.open.length);
      if (sign === ',') return this.put(`,${this.line()}`) ?? this.afterComma(top, isSecond);
      if (sign !== (top === '{' ? '}' : ']')) return 'wrong';
      this.open.pop();
      const end = this.put(`${this.line()}${sign}`);
      if (end) return end;
    }
  }

  private afterComma(top: '{' | '[', isSecretPair: boolean): End | undefined {
    if (top === '{') return this.name();
    return isSecretPair && !this.hidden ? this.hide() : undefined;
  }

  private name(): End | undefined {
    if (this.next() !== '"') return this.at < this.source.length ? 'wrong' : 'missing';
    const from = this.at;
    const end = this.string((written) => this.put(written));
    if (end) return end;
    const written = this.source.slice(from, this.at);
    if (this.next() !== ':') return this.at < this.source.length ? 'wrong' : 'missing';
    this.at += 1;
    const wrong = this.put(': ');
    return wrong || this.hidden || !this.isSecret(meaningOf(written)) ? wrong : this.hide();
  }

  /** By its own name, or as the value beside a secret name: `{"name":"authorization","value":"…"}`. */
  private isSecret(name: string): boolean {
    if (this.redaction.hides(name)) return true;
    const other = nameBeside(name, this.source, this.at);
    return other !== undefined && this.redaction.hides(other);
  }

  /** Passes over the value that comes next. */
  private hide(): End | undefined {
    const full = this.put(`"${hiddenAs(this.taken && this.taken.length + 1)}"`);
    // The space before it is none of the value.
    this.next();
    this.hasHidden = true;
    this.hidden = { depth: this.open.length, from: this.at };
    return full;
  }

  private endHidden(): void {
    if (this.hidden?.depth !== this.open.length) return;
    this.taken?.push(this.source.slice(this.hidden.from, this.at));
    this.hidden = undefined;
  }

  private string(put: (written: string) => End | undefined): End | undefined {
    const from = this.at;
    for (let at = from + 1; at < this.source.length; at += 1) {
      const code = this.source.charCodeAt(at);
      if (code === 92) at += 1;
      else if (code === 34) {
        this.at = at + 1;
        return put(this.source.slice(from, this.at));
      } else if (code < 32) return 'wrong';
    }
    this.at = this.source.length;
    put(this.source.slice(from));
    return 'missing';
  }

  /** A text as it is written, unless there is a secret in it; in a form it is hidden as a whole then, to be put back as it was. */
  private putText(written: string): End | undefined {
    if (this.hidden || !MAY_HIDE.test(written)) return this.put(written);
    const looked = written.slice(0, this.most - this.text.length + BEHIND);
    const text = meaningOf(looked);
    const shown = this.withoutSecrets(text);
    if (shown === text) return this.put(written);
    this.hasHidden = true;
    if (!this.taken) {
      const full = this.put(JSON.stringify(shown));
      return looked.length < written.length ? 'limit' : full;
    }
    this.taken.push(written);
    return this.put(`"${hiddenAs(this.taken.length)}"`);
  }

  private withoutSecrets(text: string): string {
    const { redaction } = this;
    if (!MAY_BE_JSON.test(text)) return redaction.inText(text);
    const inner = new Printer(text, 4 * text.length, redaction, undefined);
    const end = inner.print();
    if (end === 'wrong' || end === 'limit') return redaction.inText(text);
    return inner.hasHidden ? inner.text.replaceAll(/\n\s*/g, ' ') : text;
  }

  private scalar(): End | undefined {
    SCALAR.lastIndex = this.at;
    const found = SCALAR.exec(this.source);
    if (!found)
      return 'tfn'.includes(this.source[this.at] as string) && this.nearsEnd() ? 'missing' : 'wrong';
    this.at += found[0].length;
    return this.put(found[0]);
  }

  private nearsEnd(): boolean {
    return this.source.length - this.at < 'false'.length;
  }

  /** The next character that is no space; undefined at the end. */
  private next(): string | undefined {
    SPACE.lastIndex = this.at;
    SPACE.exec(this.source);
    this.at = SPACE.lastIndex;
    return this.source[this.at];
  }

  private line(): string {
    return this.hidden === undefined ? `\n${'  '.repeat(Math.min(this.open.length, 40))}` : '';
  }

  private put(text: string): 'limit' | undefined {
    if (this.hidden) return undefined;
    const room = this.most - this.text.length;
    this.text += text.length > room ? text.slice(0, room) : text;
    return text.length > room ? 'limit' : undefined;
  }
}
