import { isUtf8 } from 'node:buffer';
import { TAG, tagOfNumber } from './field-tags.js';
import { type Entry, type Field, isList, isTable, type Plain, wholeNumberOf } from './fields.js';

/*
 * Lossless conversion of header values to JSON and back. Values that JSON restores exactly are plain: texts,
 * booleans, null, lists, tables, and numbers of the type that Hopline gives them (the smallest integer that
 * holds the number, else a double). All others are an object with one key that names the type: {"$int32": 5},
 * {"$int64": "9007199254740993"}, {"$float": 0.5}, {"$decimal": "-1.25"}, {"$date": ISO}, {"$bytes": base64},
 * and {"$text": base64} for text that is not UTF-8. A table that looks like one of these is wrapped in
 * {"$table": …}; a table with a repeated name, or with a name that is not UTF-8 or is a whole number, becomes
 * {"$table": [[name, value], …]}.
 */

const INTEGERS: Readonly<Record<string, { readonly tag: number; readonly bits: number }>> = {
  $int8: { tag: TAG.int8, bits: 8 },
  $uint8: { tag: TAG.uint8, bits: 8 },
  $int16: { tag: TAG.int16, bits: 16 },
  $uint16: { tag: TAG.uint16, bits: 16 },
  $int32: { tag: TAG.int32, bits: 32 },
  $uint32: { tag: TAG.uint32, bits: 32 },
  $int64: { tag: TAG.int64, bits: 64 },
  $int64L: { tag: TAG.int64Too, bits: 64 },
  // A boolean whose byte is neither 0 nor 1.
  $truth: { tag: TAG.truth, bits: 8 },
};

const INTEGER_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(INTEGERS).map(([name, { tag }]) => [tag, name]),
);

export interface JsonOptions {
  /** For display: every number that JSON can hold is plain, whatever its type. @default false */
  readonly isForEyes?: boolean;
}

/** An object by name; pairs of name and value if an object can't hold all entries or would not keep their order. */
export function entriesJson(entries: readonly Entry[], options: JsonOptions = {}): object {
  const names = new Set(entries.map(({ name }) => name.toString('latin1')));
  const isPlain = names.size === entries.length && entries.every(({ name }) => isPlainName(name));
  if (isPlain)
    return Object.fromEntries(entries.map(({ name, value }) => [name.toString(), fieldJson(value, options)]));
  return entries.map(({ name, value }) => [textJson(name), fieldJson(value, options)]);
}

/** JavaScript objects list whole numbers first, which would change the order. */
const isPlainName = (name: Buffer): boolean => isUtf8(name) && !/^\d+$/.test(name.toString());

function fieldJson(field: Field, options: JsonOptions = {}): unknown {
  if (isList(field)) return field.items.map((item) => fieldJson(item, options));
  if (isTable(field)) {
    const table = entriesJson(field.entries, options);
    const isPlain = !Array.isArray(table) && !Object.keys(table).some((name) => name.startsWith('$'));
    return isPlain ? table : { $table: table };
  }
  const { tag, content } = field;
  switch (tag) {
    case TAG.nothing:
      return null;
    case TAG.text:
      return textJson(content);
    case TAG.bytes:
      return { $bytes: content.toString('base64') };
    case TAG.truth:
      return (content[0] as number) <= 1 ? content[0] === 1 : { $truth: content[0] };
    case TAG.float:
      return fractionJson('$float', content, content.readFloatBE(), options);
    case TAG.double:
      return fractionJson('$double', content, content.readDoubleBE(), options);
    case TAG.decimal:
      return { $decimal: decimalText(content.readUInt8(), content.readInt32BE(1)) };
    case TAG.time:
      return momentJson(content.readBigUInt64BE());
    default:
      return integerJson(field, options);
  }
}

/** Plain if it is valid UTF-8, else its bytes. */
export const textJson = (bytes: Buffer): string | { readonly $text: string } =>
  isUtf8(bytes) ? bytes.toString() : { $text: bytes.toString('base64') };

function integerJson(field: Plain, { isForEyes = false }: JsonOptions): unknown {
  const whole = wholeNumberOf(field);
  const number = Number(whole);
  const isSafe = Number.isSafeInteger(number);
  if (isSafe && (isForEyes || tagOfNumber(number) === field.tag)) return number;
  return { [INTEGER_NAMES.get(field.tag) as string]: isSafe ? number : String(whole) };
}

/** NaN and infinity have many bit patterns, which are kept. */
function fractionJson(name: string, content: Buffer, value: number, { isForEyes = false }: JsonOptions) {
  if (Number.isNaN(value)) return { [name]: `0x${content.toString('hex')}` };
  if (!Number.isFinite(value) || Object.is(value, -0))
    return { [name]: Object.is(value, -0) ? '-0' : String(value) };
  const isPlain = isForEyes || (name === '$double' && tagOfNumber(value) === TAG.double);
  return isPlain ? value : { [name]: value };
}

/** All clients but one write the digits as a signed number. */
function decimalText(decimals: number, digits: number): string {
  const text = String(Math.abs(digits)).padStart(decimals + 1, '0');
  const whole = text.slice(0, text.length - decimals);
  return `${digits < 0 ? '-' : ''}${whole}${decimals > 0 ? `.${text.slice(-decimals)}` : ''}`;
}

function momentJson(seconds: bigint): unknown {
  const date = new Date(Number(seconds) * 1_000);
  return Number.isNaN(date.getTime()) ? { $timestamp: String(seconds) } : { $date: date.toISOString() };
}

/** @throws Error for what {@link entriesJson} never makes */
export function entriesOfJson(json: unknown): Entry[] {
  if (typeof json !== 'object' || json === null)
    throw new Error('expected headers to be an object, or pairs');
  const pairs = Array.isArray(json) ? json : Object.entries(json);
  return pairs.map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new Error('expected each header to be a name and a value');
    const name = textOfJson(pair[0]);
    if (name.length > 255)
      throw new Error(`the name '${name.toString().slice(0, 20)}…' is longer than 255 bytes`);
    return { name, value: fieldOfJson(pair[1]) };
  });
}

/** @throws Error for what {@link textJson} never makes */
export function textOfJson(json: unknown): Buffer {
  if (typeof json === 'string') return Buffer.from(json);
  const { $text } = (json ?? {}) as { $text?: unknown };
  if (typeof $text === 'string') return Buffer.from($text, 'base64');
  throw new Error('expected a text');
}

/** @throws Error for what {@link fieldJson} never makes */
function fieldOfJson(json: unknown): Field {
  if (json === null) return { tag: TAG.nothing, content: Buffer.alloc(0) };
  if (typeof json === 'string') return { tag: TAG.text, content: Buffer.from(json) };
  if (typeof json === 'boolean') return { tag: TAG.truth, content: Buffer.from([json ? 1 : 0]) };
  if (typeof json === 'number') return numberField(json);
  if (Array.isArray(json)) return { tag: TAG.list, items: json.map(fieldOfJson) };
  const [only, ...others] = Object.entries(json as object);
  if (only && others.length === 0 && only[0].startsWith('$')) return typedField(...only);
  return { tag: TAG.table, entries: entriesOfJson(json) };
}

function numberField(value: number): Field {
  const tag = tagOfNumber(value);
  const name = INTEGER_NAMES.get(tag);
  return name === undefined ? { tag, content: double(value) } : integerField(name, value);
}

function typedField(name: string, value: unknown): Field {
  if (name === '$table') return { tag: TAG.table, entries: entriesOfJson(value) };
  if (Object.hasOwn(INTEGERS, name)) return integerField(name, value);
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new Error(`expected ${name} to be a text or a number`);
  const text = String(value);
  switch (name) {
    case '$text':
      return { tag: TAG.text, content: Buffer.from(text, 'base64') };
    case '$bytes':
      return { tag: TAG.bytes, content: Buffer.from(text, 'base64') };
    case '$float':
      return { tag: TAG.float, content: bits(text, 4) ?? float(numberOf(name, text)) };
    case '$double':
      return { tag: TAG.double, content: bits(text, 8) ?? double(numberOf(name, text)) };
    case '$decimal':
      return { tag: TAG.decimal, content: decimal(text) };
    case '$date':
      return { tag: TAG.time, content: moment(BigInt(Math.floor(timeOf(text) / 1_000))) };
    case '$timestamp':
      return { tag: TAG.time, content: moment(wholeOf(name, text)) };
    default:
      throw new Error(`there is no type '${name}'`);
  }
}

function integerField(name: string, value: unknown): Field {
  const { tag, bits: size } = INTEGERS[name] as (typeof INTEGERS)[string];
  const whole = wholeOf(name, value);
  const isSigned = name.startsWith('$int');
  const fits = isSigned ? BigInt.asIntN(size, whole) === whole : BigInt.asUintN(size, whole) === whole;
  if (!fits) throw new Error(`${whole} does not fit ${name}`);
  const content = octets(8, (bytes) => bytes.writeBigUInt64BE(BigInt.asUintN(64, whole)));
  return { tag, content: content.subarray(8 - size / 8) };
}

function wholeOf(name: string, value: unknown): bigint {
  if (typeof value === 'number' || typeof value === 'string')
    if (/^-?\d+$/.test(String(value))) return BigInt(value);
  throw new Error(`expected ${name} to be a whole number`);
}

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (text.trim() === '' || Number.isNaN(number)) throw new Error(`expected ${name} to be a number`);
  return number;
}

function timeOf(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new Error(`'${text}' is no date`);
  return time;
}

function decimal(text: string): Buffer {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,255}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error('expected $decimal to be a decimal number');
  const digits = Number(`${sign}${whole}${fraction}`);
  return octets(5, (bytes) => {
    bytes.writeUInt8(fraction.length);
    bytes.writeInt32BE(digits, 1);
  });
}

function moment(seconds: bigint): Buffer {
  return octets(8, (bytes) => bytes.writeBigUInt64BE(seconds));
}

function float(value: number): Buffer {
  if (Number.isFinite(value) !== Number.isFinite(Math.fround(value)))
    throw new Error(`${value} does not fit $float`);
  return octets(4, (bytes) => bytes.writeFloatBE(value));
}

const double = (value: number): Buffer => octets(8, (bytes) => bytes.writeDoubleBE(value));

function bits(text: string, length: number): Buffer | undefined {
  const [, hex = ''] = /^0x([0-9a-f]+)$/.exec(text) ?? [];
  return hex.length === 2 * length ? Buffer.from(hex, 'hex') : undefined;
}

function octets(length: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(length);
  write(bytes);
  return bytes;
}
