import type { ConsumeMessage, MessageProperties } from 'amqplib';
import {
  afterString,
  BASIC_DELIVER,
  endOfFrame,
  FRAME,
  FRAME_HEAD,
  FRAME_OVERHEAD,
  readLong,
  readLongLong,
  readShort,
} from './frames.js';
import { BEFORE_FLAGS, PropertiesReader } from './properties-reader.js';

const NO_BYTES = Buffer.alloc(0);

/**
 * Reads deliveries from the socket's buffer in one pass: the body is a view, and nothing else is copied but the
 * message's own id. The result is the same as the client library's, field by field.
 */
export class DeliveryReader {
  /** End of the last delivery that was read. */
  end = 0;
  private readonly properties = new PropertiesReader();
  private readonly strings = this.properties.strings;

  /**
   * Delivery whose first frame begins here. Undefined if it is incomplete, malformed, or has several body
   * frames: the library reads it then.
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
    const properties = this.properties.read(bytes, header + FRAME_HEAD, body - 1);
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
}

function isOfChannel(bytes: Buffer, channel: number, header: number, body: number): boolean {
  return readShort(bytes, header + 1) === channel && readShort(bytes, body + 1) === channel;
}
