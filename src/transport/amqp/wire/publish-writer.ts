import { NOT_FLAT, sizeOfFlatTable, writeFlatTable } from './flat-table.js';
import {
  BASIC,
  BASIC_PUBLISH,
  FRAME,
  FRAME_END,
  FRAME_HEAD,
  FRAME_OVERHEAD,
  PROPERTY,
  writeLong,
  writeLongLong,
  writeShort,
} from './frames.js';
import { CARRIED, type PublishFields } from './publish-fields.js';

/** Result of `spaceFor` for any other message. */
export const NOT_ORDINARY = -1;

const NO_BYTES = Buffer.alloc(0);

/** All frames' heads and ends, the numbers, and eleven short strings of maximum length. */
const FIXED_SPACE = 64 + 11 * 256;

/** Maximum bytes of an ordinary message's frames; rare or wrong messages are written in another way. */
export function spaceFor(fields: PublishFields, body: Buffer): number {
  if (fields.headers?.[CARRIED] !== undefined) return NOT_ORDINARY;
  const headers = fields.headers === undefined ? 0 : sizeOfFlatTable(fields.headers);
  const isOrdinary =
    headers !== NOT_FLAT &&
    isShortString(fields.exchange) &&
    isShortString(fields.routingKey) &&
    isShortString(fields.contentType) &&
    isShortString(fields.contentEncoding) &&
    isShortString(fields.correlationId) &&
    isShortString(fields.replyTo) &&
    isShortString(fields.expiration) &&
    isShortString(fields.messageId) &&
    isShortString(fields.type) &&
    isShortString(fields.userId) &&
    isShortString(fields.appId) &&
    isWhole(fields.deliveryMode, 0xff) &&
    isWhole(fields.priority, 0xff) &&
    isWhole(fields.timestamp, Number.MAX_SAFE_INTEGER) &&
    fields.clusterId === undefined;
  return isOrdinary ? FIXED_SPACE + headers + body.length : NOT_ORDINARY;
}

/** A rare message, in the form in which it is written. */
export interface Rare {
  readonly channel: number;
  readonly fields: PublishFields;
  /** Payload of its content header. */
  readonly header: Buffer;
  readonly body: Buffer;
}

/** All frames' heads and ends, the method's numbers, and exchange and routing key of maximum length. */
const METHOD_SPACE = 64 + 2 * 256;

export const rareSpaceFor = (header: Buffer, body: Buffer): number =>
  METHOD_SPACE + header.length + body.length;

/** 85 UTF-16 units are never more than 255 bytes. */
export function isShortString(value: unknown): boolean {
  if (value === undefined) return true;
  return typeof value === 'string' && (value.length <= 85 || Buffer.byteLength(value) <= 255);
}

function isWhole(value: unknown, most: number): boolean {
  return (
    value === undefined || (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most)
  );
}

/** Writes a message in one pass into one buffer; the bytes are the same as the client library's. */
export class PublishWriter {
  private bytes: Buffer = NO_BYTES;
  private at = 0;
  private flags = 0;

  /** Writes the frames of a message that `spaceFor` has accepted; returns the offset after them. */
  write(bytes: Buffer, start: number, channel: number, fields: PublishFields, body: Buffer): number {
    this.bytes = bytes;
    this.at = start;
    this.method(channel, fields);
    this.header(channel, fields, body.length);
    if (body.length > 0) this.frame(FRAME.body, channel, body);
    this.bytes = NO_BYTES;
    return this.at;
  }

  /** The same for any message whose content header is written already, in at most `rareSpaceFor` bytes. */
  writeRare(bytes: Buffer, start: number, { channel, fields, header, body }: Rare): number {
    this.bytes = bytes;
    this.at = start;
    this.method(channel, fields);
    this.frame(FRAME.header, channel, header);
    if (body.length > 0) this.frame(FRAME.body, channel, body);
    this.bytes = NO_BYTES;
    return this.at;
  }

  /** Frame of a part of a body, in its own buffer. */
  bodyFrame(channel: number, part: Buffer): Buffer {
    const bytes = Buffer.allocUnsafe(FRAME_OVERHEAD + part.length);
    this.bytes = bytes;
    this.at = 0;
    this.frame(FRAME.body, channel, part);
    this.bytes = NO_BYTES;
    return bytes;
  }

  private method(channel: number, fields: PublishFields): void {
    const start = this.at;
    this.at = writeLong(this.bytes, start + FRAME_HEAD, BASIC_PUBLISH);
    this.at = writeShort(this.bytes, this.at, 0); // reserved
    this.shortString(fields.exchange);
    this.shortString(fields.routingKey);
    this.bytes[this.at] = fields.mandatory ? 1 : 0;
    this.at += 1;
    this.close(start, FRAME.method, channel);
  }

  private header(channel: number, fields: PublishFields, bodyLength: number): void {
    const start = this.at;
    this.at = writeShort(this.bytes, start + FRAME_HEAD, BASIC);
    this.at = writeShort(this.bytes, this.at, 0); // weight, which is unused
    const flagsAt = writeLongLong(this.bytes, this.at, bodyLength);
    this.at = flagsAt + 2;
    this.flags = 0;
    this.text(PROPERTY.contentType, fields.contentType);
    this.text(PROPERTY.contentEncoding, fields.contentEncoding);
    this.table(PROPERTY.headers, fields.headers);
    this.octet(PROPERTY.deliveryMode, fields.deliveryMode);
    this.octet(PROPERTY.priority, fields.priority);
    this.text(PROPERTY.correlationId, fields.correlationId);
    this.text(PROPERTY.replyTo, fields.replyTo);
    this.text(PROPERTY.expiration, fields.expiration);
    this.text(PROPERTY.messageId, fields.messageId);
    this.longLong(PROPERTY.timestamp, fields.timestamp);
    this.text(PROPERTY.type, fields.type);
    this.text(PROPERTY.userId, fields.userId);
    this.text(PROPERTY.appId, fields.appId);
    writeShort(this.bytes, flagsAt, this.flags);
    this.close(start, FRAME.header, channel);
  }

  private frame(type: number, channel: number, payload: Buffer): void {
    const start = this.at;
    this.at += FRAME_HEAD;
    this.at += payload.copy(this.bytes, this.at);
    this.close(start, type, channel);
  }

  /** Puts head and end around a payload that is already written. */
  private close(start: number, type: number, channel: number): void {
    const { bytes, at } = this;
    bytes[start] = type;
    writeShort(bytes, start + 1, channel);
    writeLong(bytes, start + 3, at - start - FRAME_HEAD);
    bytes[at] = FRAME_END;
    this.at = at + 1;
  }

  private text(flag: number, value: unknown): void {
    if (value === undefined) return;
    this.flags |= flag;
    this.shortString(value as string);
  }

  private octet(flag: number, value: unknown): void {
    if (value === undefined) return;
    this.flags |= flag;
    this.bytes[this.at] = value as number;
    this.at += 1;
  }

  private longLong(flag: number, value: unknown): void {
    if (value === undefined) return;
    this.flags |= flag;
    this.at = writeLongLong(this.bytes, this.at, value as number);
  }

  private table(flag: number, value: Record<string, unknown> | undefined): void {
    if (value === undefined) return;
    this.flags |= flag;
    this.at = writeFlatTable(this.bytes, this.at, value);
  }

  /** Byte by byte while it is ASCII: for strings as short as these that is faster than a call. */
  private shortString(text: string): void {
    const { bytes, at } = this;
    const { length } = text;
    for (let place = 0; place < length; place += 1) {
      const code = text.charCodeAt(place);
      if (code > 0x7f) {
        this.utf8(text);
        return;
      }
      bytes[at + 1 + place] = code;
    }
    bytes[at] = length;
    this.at = at + 1 + length;
  }

  private utf8(text: string): void {
    const length = this.bytes.write(text, this.at + 1, 'utf8');
    this.bytes[this.at] = length;
    this.at += 1 + length;
  }
}
