import type { MessageProperties } from 'amqplib';
import { EncodedProperties } from '../../../message/encoded-properties.js';
import { show } from '../../../util/check.js';
import { afterString, BASIC, PROPERTY, readLong, readLongLong, readShort } from './frames.js';
import { ShortStrings } from './short-strings.js';
import { TableReader } from './table-reader.js';

/** Octets of a content header before its flags: class, weight, size of the body. */
export const BEFORE_FLAGS = 12;

export type Properties = {
  -readonly [Name in keyof MessageProperties]: MessageProperties[Name] | undefined;
} & {
  /** What of them could not be read, as `header 'x'`; it and what lies behind it in the headers is missing. */
  unreadable: string | undefined;
  /** The bytes in which they came. */
  encoded: EncodedProperties | undefined;
};

/** Reads the payload of a content header: what the client library would have made of it, field by field. */
export class PropertiesReader {
  readonly strings = new ShortStrings();
  private readonly tables = new TableReader();
  /** Where the next property lies. */
  private at = 0;

  /** Undefined if they are malformed, but for a header: the table's length says what is behind that. */
  read(bytes: Buffer, start: number, end: number): Properties | undefined {
    const flags = readShort(bytes, start + BEFORE_FLAGS);
    if (readShort(bytes, start) !== BASIC || (flags & 3) !== 0) return undefined;
    this.at = start + BEFORE_FLAGS + 2;
    const { tables } = this;
    tables.forget();
    // In the order in which they lie there: each moves the place of the next.
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

  /** One that many messages share. */
  private text(bytes: Buffer, isThere: number): string | undefined {
    if (isThere === 0) return undefined;
    const { at } = this;
    this.at = afterString(bytes, at);
    return this.strings.read(bytes, at);
  }

  /** One that is new with each message. */
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
    // Not where the properties end.
    this.at = tableEnd <= end ? tableEnd : Number.NaN;
    return tableEnd <= end ? this.tables.read(bytes, start, tableEnd) : undefined;
  }
}
