import { TAG } from '../../../message/field-tags.js';
import { readLong, readLongLong, readShort } from './frames.js';

/** Lists and tables in each other; deeper ones would end in the stack's limit, here or where they are copied. */
const DEEPEST = 100;

class Unreadable extends Error {}

/** One for all: its stack says nothing. */
const UNREADABLE = new Unreadable('unreadable');

type Table = Record<string, unknown>;

/** Reads tables of headers, in all types that RabbitMQ takes. Values are what the client library makes of them, but for negative decimals. */
export class TableReader {
  /**
   * Name of the header of the last table where reading ended: it is of a type that is not known, runs over the table's end,
   * or is too deep. It and what lies behind it are missing then.
   */
  unreadable: string | undefined;
  /** Where that one begins. */
  readTo: number | undefined;
  private at = 0;
  private depth = 0;

  /** As if nothing had been unreadable. */
  forget(): void {
    this.unreadable = undefined;
    this.readTo = undefined;
  }

  /** The table between these places, as far as it can be read. */
  read(bytes: Buffer, start: number, end: number): Table {
    const table: Table = {};
    this.at = start;
    this.depth = 0;
    try {
      this.entries(bytes, end, table, 'a header without a name');
    } catch (error) {
      // What reaches over the end of all that is there is a RangeError of Node.js.
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

/** An ordinary object takes this name for its prototype otherwise. */
function own(table: Table, name: string, value: unknown): void {
  Object.defineProperty(table, name, { value, enumerable: true, configurable: true, writable: true });
}

/** The place behind something whose length stands here as a long. */
function afterLong(bytes: Buffer, at: number): number {
  // The length of what is cut off would be made of nothing.
  if (at + 4 > bytes.length) throw UNREADABLE;
  return at + 4 + readLong(bytes, at);
}

function readSignedLongLong(bytes: Buffer, at: number): number {
  const high = readLong(bytes, at);
  return high < 0x8000_0000 ? readLongLong(bytes, at) : Number(bytes.readBigInt64BE(at));
}
