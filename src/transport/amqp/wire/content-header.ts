import {
  type EncodedHeader,
  keptHeaders,
  keptProperty,
  type MessageSource,
} from '../../../message/wire/encoded-properties.js';
import { BASIC, PROPERTY } from './frames.js';
import { CARRIED, type PublishFields } from './publish-fields.js';
import { MOST_TABLE_BYTES, TableWriter } from './table-writer.js';

const NONE: readonly EncodedHeader[] = [];

/** Class, weight, size of the body, flags. */
const HEAD_BYTES = 14;
/** Maximum size of the properties other than the headers. */
const OTHERS_BYTES = 14 * 256;

type Text = Exclude<keyof typeof PROPERTY, 'headers' | 'deliveryMode' | 'priority' | 'timestamp'>;

/**
 * Writes content headers of rare messages: with headers of rare types, and of republished messages, whose
 * unchanged values are written in the bytes in which they came.
 */
export class ContentHeaderWriter {
  private readonly tables = new TableWriter();
  private readonly bytes = Buffer.allocUnsafeSlow(HEAD_BYTES + MOST_TABLE_BYTES + OTHERS_BYTES);
  private at = 0;
  private flags = 0;
  private source: MessageSource | undefined;

  /**
   * Payload of the frame. The result is valid until the next call.
   *
   * @throws TypeError, RangeError naming what can't be written
   */
  write(fields: PublishFields, bodyBytes: number): Buffer {
    const { source, clusterId } = fields.headers?.[CARRIED] ?? {};
    this.source = source;
    this.flags = 0;
    this.at = HEAD_BYTES;
    this.text('contentType', fields.contentType);
    this.text('contentEncoding', fields.contentEncoding);
    this.table(fields.headers);
    this.octet('deliveryMode', fields.deliveryMode);
    this.octet('priority', fields.priority);
    this.text('correlationId', fields.correlationId);
    this.text('replyTo', fields.replyTo);
    this.text('expiration', fields.expiration);
    this.text('messageId', fields.messageId);
    this.moment(fields.timestamp);
    this.text('type', fields.type);
    this.text('userId', fields.userId);
    this.text('appId', fields.appId);
    this.text('clusterId', clusterId);
    this.source = undefined;
    const { bytes } = this;
    bytes.writeUInt32BE(BASIC << 16);
    bytes.writeBigUInt64BE(BigInt(bodyBytes), 4);
    bytes.writeUInt16BE(this.flags, HEAD_BYTES - 2);
    return bytes.subarray(0, this.at);
  }

  private text(name: Text, value: unknown): void {
    if (value === undefined) return;
    this.flags |= PROPERTY[name];
    const { bytes, at } = this;
    const kept = keptProperty(this.source, name, value);
    const length = kept?.length ?? (typeof value === 'string' ? Buffer.byteLength(value) : Number.NaN);
    if (!(length <= 0xff)) throw new TypeError(`property ${name} is no text of at most 255 bytes`);
    bytes[at] = length;
    if (kept) kept.copy(bytes, at + 1);
    else bytes.write(value as string, at + 1);
    this.at = at + 1 + length;
  }

  private table(headers: PublishFields['headers']): void {
    if (!headers) return;
    this.flags |= PROPERTY.headers;
    const { source } = this;
    const table = this.tables.write(headers, source ? keptHeaders(source, headers) : NONE);
    this.at += table.copy(this.bytes, this.at);
  }

  private octet(name: 'deliveryMode' | 'priority', value: unknown): void {
    if (value === undefined) return;
    if (!(Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xff))
      throw new TypeError(`property ${name} is no whole number of 0 to 255`);
    this.flags |= PROPERTY[name];
    this.bytes[this.at] = value as number;
    this.at += 1;
  }

  private moment(value: unknown): void {
    if (value === undefined) return;
    this.flags |= PROPERTY.timestamp;
    const kept = keptProperty(this.source, 'timestamp', value);
    if (kept) kept.copy(this.bytes, this.at);
    else if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 64)
      this.bytes.writeBigUInt64BE(BigInt(value as number), this.at);
    else throw new TypeError('property timestamp is no whole number of 64 bits');
    this.at += 8;
  }
}
