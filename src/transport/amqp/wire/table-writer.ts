import type { EncodedHeader } from '../../../message/wire/encoded-properties.js';
import { TAG, tagOfNumber } from '../../../message/wire/field-tags.js';
import { show } from '../../../util/check.js';

/** As much as the client library writes: received tables may be larger, and the broker adds headers of its own. */
export const MOST_TABLE_BYTES = 64 * 1024;

/** Writes header tables with values of any type; the bytes are the same as the client library's. */
export class TableWriter {
  private readonly bytes = Buffer.allocUnsafeSlow(MOST_TABLE_BYTES);
  private at = 0;

  /**
   * The table with its length. Headers that are already encoded come first; another value of the same name is
   * not written. The result is valid until the next call.
   *
   * @throws RangeError if it is too large; TypeError naming a header that can't be written
   */
  write(headers: Readonly<Record<string, unknown>>, kept: readonly EncodedHeader[]): Buffer {
    const names = new Set<string>();
    this.at = 4;
    for (const { name, bytes } of kept) {
      const at = this.place(bytes.length);
      bytes.copy(this.bytes, at);
      names.add(name);
    }
    // Inherited names are sent as well: the library passes the headers on as a prototype.
    for (const name in headers) {
      const value = headers[name];
      if (value !== undefined && !names.has(name)) this.entry(name, value, name);
    }
    this.bytes.writeUInt32BE(this.at - 4, 0);
    return this.bytes.subarray(0, this.at);
  }

  /** @param header name of the outermost header, for errors */
  private entry(name: string, value: unknown, header: string): void {
    const length = Buffer.byteLength(name);
    if (length > 255) throw new TypeError(`the name of header ${show(header)} is longer than 255 bytes`);
    const at = this.place(1 + length);
    this.bytes[at] = length;
    this.bytes.write(name, at + 1);
    this.value(value, header);
  }

  private value(value: unknown, header: string): void {
    if (typeof value === 'string') this.text(value);
    else if (typeof value === 'boolean') this.bytes[this.tagged(TAG.truth, 1)] = value ? 1 : 0;
    else if (typeof value === 'number') this.number(value, header);
    else if (typeof value === 'object') this.object(value, header);
    else
      throw new TypeError(`header ${show(header)} has a value that AMQP has no type for: a ${typeof value}`);
  }

  private object(value: object | null, header: string): void {
    if (value === null) this.tagged(TAG.nothing, 0);
    else if (Buffer.isBuffer(value)) {
      const at = this.tagged(TAG.bytes, 4 + value.length);
      this.bytes.writeUInt32BE(value.length, at);
      value.copy(this.bytes, at + 4);
    } else if (value instanceof Date) this.moment(Math.floor(value.getTime() / 1_000), header);
    else if (Array.isArray(value)) {
      this.nested(TAG.list, () => {
        for (const item of value) this.value(item, header);
      });
    } else if (Object.hasOwn(value, '!')) this.typed(value as TypedValue, header);
    else {
      this.nested(TAG.table, () => {
        for (const [name, inner] of Object.entries(value))
          if (inner !== undefined) this.entry(name, inner, header);
      });
    }
  }

  private text(value: string): void {
    const length = Buffer.byteLength(value);
    const at = this.tagged(TAG.text, 4 + length);
    this.bytes.writeUInt32BE(length, at);
    this.bytes.write(value, at + 4);
  }

  private number(value: number, header: string): void {
    if (!Number.isFinite(value)) throw new TypeError(`header ${show(header)} is ${value}: no finite number`);
    const { bytes } = this;
    const tag = tagOfNumber(value);
    if (tag === TAG.int8) bytes.writeInt8(value, this.tagged(tag, 1));
    else if (tag === TAG.int16) bytes.writeInt16BE(value, this.tagged(tag, 2));
    else if (tag === TAG.int32) bytes.writeInt32BE(value, this.tagged(tag, 4));
    else if (tag === TAG.int64) bytes.writeBigInt64BE(BigInt(value), this.tagged(tag, 8));
    else bytes.writeDoubleBE(value, this.tagged(tag, 8));
  }

  /** A value in the library's form, which was received and is sent on without its bytes. */
  private typed({ '!': type, value }: TypedValue, header: string): void {
    if (type === 'timestamp') this.moment(value as number, header);
    else if (type === 'decimal') this.decimal(value as Decimal);
    else throw new TypeError(`header ${show(header)} is of a type that is not known: ${show(type)}`);
  }

  private decimal({ places, digits }: Decimal): void {
    const at = this.tagged(TAG.decimal, 5);
    this.bytes.writeUInt8(places, at);
    // A value that was read as unsigned, as by the client library, has the same bits.
    this.bytes.writeInt32BE(digits | 0, at + 1);
  }

  private moment(seconds: number, header: string): void {
    if (!(Number.isInteger(seconds) && seconds >= 0 && seconds < 2 ** 64))
      throw new TypeError(`header ${show(header)} is no date since 1970`);
    this.bytes.writeBigUInt64BE(BigInt(seconds), this.tagged(TAG.time, 8));
  }

  private nested(tag: number, content: () => void): void {
    const at = this.tagged(tag, 4);
    content();
    this.bytes.writeUInt32BE(this.at - at - 4, at);
  }

  /** Writes a tag; returns the offset of the value's content. */
  private tagged(tag: number, length: number): number {
    const at = this.place(1 + length);
    this.bytes[at] = tag;
    return at + 1;
  }

  /** Reserves octets; returns their offset. */
  private place(length: number): number {
    const { at } = this;
    if (at + length > MOST_TABLE_BYTES)
      throw new RangeError(
        `the headers are more than the ${MOST_TABLE_BYTES} bytes that they may take when they are written`,
      );
    this.at = at + length;
    return at;
  }
}

/** The client library's form of values without a JavaScript type. */
interface TypedValue {
  readonly '!': string;
  readonly value: unknown;
}

interface Decimal {
  readonly places: number;
  readonly digits: number;
}
