import type { Headers, HeaderValue } from '../properties.js';
import { contentOf, TAG } from './field-tags.js';

/* Values of header tables as they are on the wire: they keep what JavaScript values would lose. */

export type Field = Plain | List | Table;

/** A value that contains no other value. */
export interface Plain {
  readonly tag: number;
  /** Bytes without tag and length. */
  readonly content: Buffer;
}

export interface List {
  readonly tag: typeof TAG.list;
  readonly items: readonly Field[];
}

export interface Table {
  readonly tag: typeof TAG.table;
  readonly entries: readonly Entry[];
}

/** An entry of a table. A name may consist of any bytes, and may occur more than once. */
export interface Entry {
  readonly name: Buffer;
  readonly value: Field;
}

export const isList = (field: Field): field is List => 'items' in field;
export const isTable = (field: Field): field is Table => 'entries' in field;

/** Entries between two offsets. The bytes have been read before, so nothing is checked. */
export function entriesIn(bytes: Buffer, start: number, end: number): Entry[] {
  const entries: Entry[] = [];
  for (let at = start; at < end; ) {
    const valueAt = at + 1 + (bytes[at] as number);
    entries.push({ name: bytes.subarray(at + 1, valueAt), value: fieldAt(bytes, valueAt) });
    at = contentOf(bytes, valueAt).end;
  }
  return entries;
}

/** Value whose tag is at `at`. */
function fieldAt(bytes: Buffer, at: number): Field {
  const tag = bytes[at] as number;
  const { start, end } = contentOf(bytes, at);
  if (tag === TAG.list) return { tag: TAG.list, items: itemsIn(bytes, start, end) };
  if (tag === TAG.table) return { tag: TAG.table, entries: entriesIn(bytes, start, end) };
  return { tag, content: bytes.subarray(start, end) };
}

function itemsIn(bytes: Buffer, start: number, end: number): Field[] {
  const items: Field[] = [];
  for (let at = start; at < end; at = contentOf(bytes, at).end) items.push(fieldAt(bytes, at));
  return items;
}

/** Bytes of all entries, without the length that precedes a table. */
export function entryBytes(entries: readonly Entry[]): Buffer {
  return Buffer.concat(
    entries.flatMap(({ name, value }) => [Buffer.from([name.length]), name, fieldBytes(value)]),
  );
}

function fieldBytes(field: Field): Buffer {
  const tag = Buffer.from([field.tag]);
  if (isList(field)) return Buffer.concat([tag, counted(Buffer.concat(field.items.map(fieldBytes)))]);
  if (isTable(field)) return Buffer.concat([tag, counted(entryBytes(field.entries))]);
  const hasLength = field.tag === TAG.text || field.tag === TAG.bytes;
  return Buffer.concat([tag, hasLength ? counted(field.content) : field.content]);
}

/** Bytes with their length before them. */
export function counted(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Entries as a delivery's headers: if a name is repeated, the last value wins. */
export function headersOf(entries: readonly Entry[]): Headers {
  const headers: Headers = Object.create(null);
  for (const { name, value } of entries) headers[name.toString()] = headerValueOf(value);
  return headers;
}

/** JavaScript value of a field, as close as the language comes. */
function headerValueOf(field: Field): HeaderValue {
  if (isList(field)) return field.items.map(headerValueOf);
  if (isTable(field)) return headersOf(field.entries);
  const { tag, content } = field;
  switch (tag) {
    case TAG.nothing:
      return null;
    case TAG.text:
      return content.toString();
    case TAG.bytes:
      return content;
    case TAG.truth:
      return content[0] !== 0;
    case TAG.float:
      return content.readFloatBE();
    case TAG.double:
      return content.readDoubleBE();
    case TAG.decimal:
      return {
        '!': 'decimal',
        value: { places: content[0] as number, digits: content.readInt32BE(1) },
      };
    case TAG.time:
      return momentOf(Number(content.readBigUInt64BE()));
    default:
      return Number(wholeNumberOf(field));
  }
}

/** Any 64-bit number may arrive; a moment that no Date can hold has the client library's form. */
function momentOf(seconds: number): HeaderValue {
  const date = new Date(seconds * 1_000);
  return Number.isNaN(date.getTime()) ? { '!': 'timestamp', value: seconds } : date;
}

const UNSIGNED: ReadonlySet<number> = new Set([TAG.uint8, TAG.uint16, TAG.uint32]);

/** Value of an integer of any width. */
export function wholeNumberOf({ tag, content }: Plain): bigint {
  if (content.length === 8) return content.readBigInt64BE();
  return BigInt(
    UNSIGNED.has(tag) ? content.readUIntBE(0, content.length) : content.readIntBE(0, content.length),
  );
}
