import { TAG } from '../../../message/wire/field-tags.js';
import { readLong, readLongLong, readShort } from './frames.js';

/** Limit of nested lists and tables; deeper ones would exceed the stack, here or where they are copied. */
const DEEPEST = 100;

class Unreadable extends Error {}

/** A single instance: its stack is not needed. */
const UNREADABLE = new Unreadable('unreadable');

type Table = Record<string, unknown>;

/**
 * Reads header tables, in all types that RabbitMQ accepts. Values are the same as the client library's, except
 * for negative decimals.
 */
export class TableReader {
  /**
   * Name of the header at which reading the last table ended: its type is unknown, it runs over the table's
   * end, or is too deep. It and the headers after it are missing.
   */
  unreadable: string | undefined;
  /** Offset at which that header begins. */
  readTo: number | undefined;
  private at = 0;
  private depth = 0;

  /** Resets the fields about unreadable headers. */
  forget(): void {
    this.unreadable = undefined;
    this.readTo = undefined;
  }

  /** The table between two offsets, as far as it can be read. */
  read(bytes: Buffer, start: number, end: number): Table {
    const table: Table = {};
    this.at = start;
    this.depth = 0;
    try {
      this.entries(bytes, end, table, 'a header without a name');
    } catch (error) {
      // A value that reaches over the end of the buffer is a RangeError of Node.js.
      if (!(error instanceof Unreadable || error instanceof RangeError)) throw error;
    }
    return table;
  }

  private entries(bytes: Buffer, end: number, table: Table, nameless?: string): void {
    const isOutermost = nameless !== undefined;
    while (this.at < end) {
      const nameAt = this.at + 1;
      const valueAt = nameAt + (bytes[this.at] as number);
      if (isOutermost) {
        this.unreadable = nameless;
        this.readTo = this.at;
      }
      if (valueAt >= end) throw UNREADABLE;
      const name = bytes.toString('utf8', nameAt, valueAt);
      if (isOutermost) this.unreadable = name;
      this.at = valueAt + 1;
      const value = this.value(bytes, bytes[valueAt] as number, end);
      if (this.at > end) throw UNREADABLE;
      if (name === '__proto__') own(table, name, value);
      else table[name] = value;
    }
    if (isOutermost) this.forget();
  }

  private value(bytes: Buffer, tag: number, end: number): unknown {
    const { at } = this;
    switch (tag) {
      case TAG.text:
        this.at = afterLong(bytes, at);
        return bytes.toString('utf8', at + 4, this.at);
      case TAG.truth:
        this.at = at + 1;
        return bytes[at] !== 0;
      case TAG.int8:
        this.at = at + 1;
        return ((bytes[at] as number) << 24) >> 24;
      case TAG.int16:
        this.at = at + 2;
        return (readShort(bytes, at) << 16) >> 16;
      case TAG.int32:
        this.at = at + 4;
        return readLong(bytes, at) | 0;
      case TAG.int64:
      case TAG.int64Too:
        this.at = at + 8;
        return readSignedLongLong(bytes, at);
      default:
        return this.rareValue(bytes, tag, end);
    }
  }

  private rareValue(bytes: Buffer, tag: number, end: number): unknown {
    const { at } = this;
    switch (tag) {
      case TAG.nothing:
        return null;
      case TAG.uint8:
        this.at = at + 1;
        return bytes[at];
      case TAG.uint16:
        this.at = at + 2;
        return readShort(bytes, at);
      case TAG.uint32:
        this.at = at + 4;
        return readLong(bytes, at);
      case TAG.float:
        this.at = at + 4;
        return bytes.readFloatBE(at);
      case TAG.double:
        this.at = at + 8;
        return bytes.readDoubleBE(at);
      case TAG.decimal:
        this.at = at + 5;
        return { '!': 'decimal', value: { places: bytes[at], digits: readLong(bytes, at + 1) | 0 } };
      case TAG.time:
        this.at = at + 8;
        return { '!': 'timestamp', value: readLongLong(bytes, at) };
      case TAG.bytes:
        this.at = afterLong(bytes, at);
        return bytes.subarray(at + 4, this.at);
      default:
        return this.nested(bytes, tag, end);
    }
  }

  private nested(bytes: Buffer, tag: number, end: number): unknown {
    if (tag !== TAG.list && tag !== TAG.table) throw UNREADABLE;
    const nestedEnd = afterLong(bytes, this.at);
    if (nestedEnd > end || this.depth === DEEPEST) throw UNREADABLE;
    this.at += 4;
    this.depth += 1;
    const value = tag === TAG.list ? this.list(bytes, nestedEnd) : this.table(bytes, nestedEnd);
    this.depth -= 1;
    return value;
  }

  private list(bytes: Buffer, end: number): unknown[] {
    const values: unknown[] = [];
    while (this.at < end) {
      this.at += 1;
      values.push(this.value(bytes, bytes[this.at - 1] as number, end));
      if (this.at > end) throw UNREADABLE;
    }
    return values;
  }

  private table(bytes: Buffer, end: number): Table {
    const table: Table = {};
    this.entries(bytes, end, table);
    return table;
  }
}

/** In an ordinary assignment this name would set the prototype. */
function own(table: Table, name: string, value: unknown): void {
  Object.defineProperty(table, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Offset after a value whose 32-bit length is at `at`. */
function afterLong(bytes: Buffer, at: number): number {
  // A truncated length can't be read.
  if (at + 4 > bytes.length) throw UNREADABLE;
  return at + 4 + readLong(bytes, at);
}

function readSignedLongLong(bytes: Buffer, at: number): number {
  const high = readLong(bytes, at);
  return high < 0x8000_0000 ? readLongLong(bytes, at) : Number(bytes.readBigInt64BE(at));
}
