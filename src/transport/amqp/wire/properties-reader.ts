import type { MessageProperties } from 'amqplib';
import { EncodedProperties } from '../../../message/wire/encoded-properties.js';
import { show } from '../../../util/check.js';
import { afterString, BASIC, PROPERTY, readLong, readLongLong, readShort } from './frames.js';
import { ShortStrings } from './short-strings.js';
import { TableReader } from './table-reader.js';

/** Octets of a content header before its flags: class, weight, size of the body. */
export const BEFORE_FLAGS = 12;

export type Properties = {
  -readonly [Name in keyof MessageProperties]: MessageProperties[Name] | undefined;
} & {
  /** Name of the first unreadable header, as `header 'x'`; it and the headers after it are missing. */
  unreadable: string | undefined;
  /** The properties in their received bytes. */
  encoded: EncodedProperties | undefined;
};

/** Reads the payload of a content header. The result is the same as the client library's, field by field. */
export class PropertiesReader {
  readonly strings = new ShortStrings();
  private readonly tables = new TableReader();
  /** Offset of the next property. */
  private at = 0;

  /**
   * Undefined if the properties are malformed. An unreadable header is no such case: the table's length tells
   * what follows it.
   */
  read(bytes: Buffer, start: number, end: number): Properties | undefined {
    const flags = readShort(bytes, start + BEFORE_FLAGS);
    if (readShort(bytes, start) !== BASIC || (flags & 3) !== 0) return undefined;
    this.at = start + BEFORE_FLAGS + 2;
    const { tables } = this;
    tables.forget();
    // In the order of the wire: each read moves the offset of the next.
    const properties: Properties = {
      contentType: this.text(bytes, flags & PROPERTY.contentType),
      contentEncoding: this.text(bytes, flags & PROPERTY.contentEncoding),
      headers: flags & PROPERTY.headers ? this.headers(bytes, end) : undefined,
      deliveryMode: this.octet(bytes, flags & PROPERTY.deliveryMode) as 1 | 2 | undefined,
      priority: this.octet(bytes, flags & PROPERTY.priority),
      correlationId: this.id(bytes, flags & PROPERTY.correlationId),
      replyTo: this.text(bytes, flags & PROPERTY.replyTo),
      expiration: this.text(bytes, flags & PROPERTY.expiration),
      messageId: this.id(bytes, flags & PROPERTY.messageId),
      timestamp: this.longLong(bytes, flags & PROPERTY.timestamp),
      type: this.text(bytes, flags & PROPERTY.type),
      userId: this.text(bytes, flags & PROPERTY.userId),
      appId: this.text(bytes, flags & PROPERTY.appId),
      clusterId: this.text(bytes, flags & PROPERTY.clusterId),
      unreadable: undefined,
      encoded: new EncodedProperties(bytes, start + BEFORE_FLAGS, tables.readTo),
    };
    const { unreadable } = tables;
    if (unreadable !== undefined) properties.unreadable = `header ${show(unreadable)}`;
    return this.at === end ? properties : undefined;
  }

  /** A text that many messages share. */
  private text(bytes: Buffer, isThere: number): string | undefined {
    if (isThere === 0) return undefined;
    const { at } = this;
    this.at = afterString(bytes, at);
    return this.strings.read(bytes, at);
  }

  /** A text that is new with each message. */
  private id(bytes: Buffer, isThere: number): string | undefined {
    if (isThere === 0) return undefined;
    const start = this.at + 1;
    this.at = afterString(bytes, this.at);
    return bytes.toString('utf8', start, this.at);
  }

  private octet(bytes: Buffer, isThere: number): number | undefined {
    if (isThere === 0) return undefined;
    this.at += 1;
    return bytes[this.at - 1];
  }

  private longLong(bytes: Buffer, isThere: number): number | undefined {
    if (isThere === 0) return undefined;
    this.at += 8;
    return readLongLong(bytes, this.at - 8);
  }

  private headers(bytes: Buffer, end: number): MessageProperties['headers'] {
    const start = this.at + 4;
    const tableEnd = start + readLong(bytes, this.at);
    // A table that runs over the end makes the properties malformed.
    this.at = tableEnd <= end ? tableEnd : Number.NaN;
    return tableEnd <= end ? this.tables.read(bytes, start, tableEnd) : undefined;
  }
}
