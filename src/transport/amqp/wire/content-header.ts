import {
  type EncodedHeader,
  keptHeaders,
  keptProperty,
  type MessageSource,
} from '../../../message/encoded-properties.js';
import { BASIC, PROPERTY } from './frames.js';
import { CARRIED, type PublishFields } from './publish-fields.js';
import { TableWriter } from './table-writer.js';

const NONE: readonly EncodedHeader[] = [];
const tables = new TableWriter();

/** Class, weight, size of the body, flags. */
const HEAD_BYTES = 14;

/**
 * The payload of a content header for what is not ordinary: headers of rare types, and messages that travel on. What of these is
 * still what was received is written in the bytes in which it came.
 *
 * @throws TypeError, RangeError that says what can't be written
 */
export function contentHeader(fields: PublishFields, bodyBytes: number): Buffer {
  const { source, clusterId } = fields.headers?.[CARRIED] ?? {};
  const parts: Buffer[] = [];
  let flags = 0;
  const add = (flag: number, ...bytes: readonly Buffer[]) => {
    flags |= flag;
    parts.push(...bytes);
  };
  const text = (name: Text, value: unknown = fields[name]) => {
    if (value !== undefined)
      add(PROPERTY[name], ...shortString(name, keptProperty(source, name, value) ?? value));
  };
  const octet = (name: 'deliveryMode' | 'priority') => {
    const value = fields[name];
    if (value !== undefined) add(PROPERTY[name], Buffer.from([wholeOctet(name, value)]));
  };

  text('contentType');
  text('contentEncoding');
  if (fields.headers) add(PROPERTY.headers, table(fields.headers, source));
  octet('deliveryMode');
  octet('priority');
  text('correlationId');
  text('replyTo');
  text('expiration');
  text('messageId');
  if (fields.timestamp !== undefined) add(PROPERTY.timestamp, moment(fields.timestamp, source));
  text('type');
  text('userId');
  text('appId');
  text('clusterId', clusterId);

  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(BASIC);
  head.writeBigUInt64BE(BigInt(bodyBytes), 4);
  head.writeUInt16BE(flags, HEAD_BYTES - 2);
  return Buffer.concat([head, ...parts]);
}

type Text = Exclude<keyof typeof PROPERTY, 'headers' | 'deliveryMode' | 'priority' | 'timestamp'>;

function table(headers: NonNullable<PublishFields['headers']>, source: MessageSource | undefined): Buffer {
  return tables.write(headers, source ? keptHeaders(source, headers) : NONE);
}

/** Its length first. */
function shortString(name: string, value: unknown): readonly Buffer[] {
  const bytes = Buffer.isBuffer(value) ? value : typeof value === 'string' ? Buffer.from(value) : undefined;
  if (!bytes || bytes.length > 0xff) throw new TypeError(`property ${name} is no text of at most 255 bytes`);
  return [Buffer.from([bytes.length]), bytes];
}

function wholeOctet(name: string, value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xff) return value as number;
  throw new TypeError(`property ${name} is no whole number of 0 to 255`);
}

function moment(value: unknown, source: MessageSource | undefined): Buffer {
  const kept = keptProperty(source, 'timestamp', value);
  if (kept) return kept;
  const bytes = Buffer.alloc(8);
  if (!(Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 64))
    throw new TypeError('property timestamp is no whole number of 64 bits');
  bytes.writeBigUInt64BE(BigInt(value as number));
  return bytes;
}
