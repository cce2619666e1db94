import type { ConsumeMessage, MessageProperties } from 'amqplib';
import { readFlatTable } from './flat-table.js';
import {
  BASIC,
  BASIC_DELIVER,
  FRAME,
  FRAME_END,
  FRAME_HEAD,
  FRAME_OVERHEAD,
  PROPERTY,
  readLong,
  readLongLong,
  readShort,
} from './frames.js';
import { ShortStrings } from './short-strings.js';

const NO_BYTES = Buffer.alloc(0);

/** Octets of a content header before its flags: class, weight, size of the body. */
const BEFORE_FLAGS = 12;

type Properties = { -readonly [Name in keyof MessageProperties]: MessageProperties[Name] | undefined };

/**
 * Reads deliveries from where the socket put them, in one pass: one view of the bytes for the body, and no copy of
 * anything else but the message's own id. What it reads is what the client library would have made of it, field by field.
 */
export class DeliveryReader {
  /** Where the delivery that was read last ends. */
  end = 0;
  private readonly strings = new ShortStrings();
  /** Where the next property lies. */
  private at = 0;

  /**
   * The delivery whose first frame begins here. Undefined if it isn't here whole, or is anything that this doesn't read:
   * in several body frames, with headers of rare types, or malformed. The library is asked then.
   */
  read(bytes: Buffer, start: number): ConsumeMessage | undefined {
    const header = endOfFrame(bytes, start, FRAME.method);
    if (header < 0) return undefined;
    const body = endOfFrame(bytes, header, FRAME.header);
    if (body < 0 || body - header < FRAME_OVERHEAD + BEFORE_FLAGS + 2) return undefined;
    const size = readLongLong(bytes, header + FRAME_HEAD + 4);
    const end = size === 0 ? body : endOfFrame(bytes, body, FRAME.body);
    if (end < 0 || (size > 0 && end - body !== size + FRAME_OVERHEAD)) return undefined;
    const fields = this.fields(bytes, start + FRAME_HEAD, header - 1);
    if (!fields || !isOfChannel(bytes, readShort(bytes, start + 1), header, size > 0 ? body : header))
      return undefined;
    const properties = this.properties(bytes, header + FRAME_HEAD, body - 1);
    if (!properties) return undefined;
    this.end = end;
    return {
      fields,
      properties: properties as MessageProperties,
      content: size === 0 ? NO_BYTES : bytes.subarray(body + FRAME_HEAD, end - 1),
    };
  }

  private fields(bytes: Buffer, start: number, end: number): ConsumeMessage['fields'] | undefined {
    if (readLong(bytes, start) !== BASIC_DELIVER) return undefined;
    const consumerTag = start + 4;
    const deliveryTag = afterString(bytes, consumerTag);
    const exchange = deliveryTag + 9;
    if (exchange >= end) return undefined;
    const routingKey = afterString(bytes, exchange);
    if (routingKey >= end || afterString(bytes, routingKey) !== end) return undefined;
    return {
      consumerTag: this.strings.read(bytes, consumerTag),
      deliveryTag: readLongLong(bytes, deliveryTag),
      redelivered: ((bytes[exchange - 1] as number) & 1) === 1,
      exchange: this.strings.read(bytes, exchange),
      routingKey: this.strings.read(bytes, routingKey),
    };
  }

  private properties(bytes: Buffer, start: number, end: number): Properties | undefined {
    const flags = readShort(bytes, start + BEFORE_FLAGS);
    if (readShort(bytes, start) !== BASIC || (flags & 3) !== 0) return undefined;
    this.at = start + BEFORE_FLAGS + 2;
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
    };
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
    const table = tableEnd <= end ? readFlatTable(bytes, start, tableEnd) : undefined;
    // Not where the properties end: the whole message is the library's.
    this.at = table ? tableEnd : Number.NaN;
    return table;
  }
}

/** Where a frame of this type ends; negative if none lies here whole. */
function endOfFrame(bytes: Buffer, at: number, type: number): number {
  if (at + FRAME_OVERHEAD > bytes.length || bytes[at] !== type) return -1;
  const end = at + FRAME_OVERHEAD + readLong(bytes, at + 3);
  return end <= bytes.length && bytes[end - 1] === FRAME_END ? end : -1;
}

function isOfChannel(bytes: Buffer, channel: number, header: number, body: number): boolean {
  return readShort(bytes, header + 1) === channel && readShort(bytes, body + 1) === channel;
}

/** The place behind a string whose length stands here. */
function afterString(bytes: Buffer, at: number): number {
  return at + 1 + (bytes[at] as number);
}
