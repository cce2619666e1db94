import fc from 'fast-check';
import { typedValue } from '../unit/amqp/typed-table.js';
import { PROPERTIES } from './tagged-properties.js';

/*
 * Messages as any client may send them: texts of any bytes, headers of any type under names of any bytes, some twice. Written
 * octet by octet, since no library writes them all.
 */

export interface WildHeader {
  readonly name: Buffer;
  /** Tag and value. */
  readonly value: Buffer;
}

export interface WildMessage {
  /** Of its properties in bytes, by name. */
  readonly values: Readonly<Record<string, Buffer>>;
  readonly headers: readonly WildHeader[] | undefined;
  readonly body: Buffer;
}

/** The payload of its content header. */
export function wildHeader({ values, headers, body }: WildMessage): Buffer {
  let flags = 0;
  const parts: Buffer[] = [];
  for (const [place, [name, kind]] of PROPERTIES.entries()) {
    const value = kind === 'table' ? headers && wildTable(headers) : values[name];
    if (!value) continue;
    flags |= 1 << (15 - place);
    parts.push(kind === 'text' ? Buffer.concat([Buffer.from([value.length]), value]) : value);
  }
  const head = Buffer.alloc(14);
  head.writeUInt16BE(60);
  head.writeBigUInt64BE(BigInt(body.length), 4);
  head.writeUInt16BE(flags, 12);
  return Buffer.concat([head, ...parts]);
}

/** With its length. */
export function wildTable(headers: readonly WildHeader[]): Buffer {
  const entries = Buffer.concat(
    headers.flatMap(({ name, value }) => [Buffer.from([name.length]), name, value]),
  );
  return counted(entries);
}

export function counted(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A frame of this type. */
export function frame(type: number, channel: number, payload: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([type, channel >> 8, channel & 0xff]),
    counted(payload),
    Buffer.from([0xce]),
  ]);
}

const octets = (maxLength: number) => fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes));
const tagged = (tag: string, bytes: Buffer) => Buffer.concat([Buffer.from(tag), bytes]);
const shortText = fc.oneof(
  fc.string({ maxLength: 20 }).map((text) => Buffer.from(text)),
  octets(30),
  fc.constantFrom(255, 90).map((length) => Buffer.alloc(length, 0xff)),
);

/** What values of JavaScript can't say. */
const wildValue = fc.oneof(
  octets(40).map((bytes) => tagged('S', counted(bytes))),
  fc.nat(255).map((octet) => tagged('t', Buffer.from([octet]))),
  fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => tagged('f', Buffer.from(bytes))),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => tagged('d', Buffer.from(bytes))),
  fc.constantFrom(
    tagged('f', Buffer.from('7fc00001', 'hex')),
    tagged('d', Buffer.from('8000000000000000', 'hex')),
    tagged('l', Buffer.from('0020000000000001', 'hex')),
    tagged('D', Buffer.from('02ffffff83', 'hex')),
    tagged('T', Buffer.alloc(8, 0xff)),
    tagged('F', wildTable([{ name: Buffer.from('$int8'), value: Buffer.from('t\x01') }])),
  ),
);

const name = fc.oneof(
  fc
    .constantFrom('twice', 'twice', 'x-request-id', 'traceparent', '__proto__', '', '$int8', '7')
    .map((text) => Buffer.from(text)),
  fc.string({ maxLength: 12 }).map((text) => Buffer.from(text)),
  octets(20),
);

export const anyWildHeaders: fc.Arbitrary<WildHeader[]> = fc.array(
  fc.record({
    name,
    value: fc.oneof(
      wildValue,
      typedValue.map(({ bytes }) => bytes),
    ),
  }),
  { maxLength: 8 },
);

export const anyWildMessage: fc.Arbitrary<WildMessage> = fc.record({
  values: fc.record(
    {
      contentType: shortText,
      contentEncoding: shortText,
      deliveryMode: fc.constantFrom(Buffer.from([1]), Buffer.from([2])),
      priority: octets(1).filter(({ length }) => length === 1),
      correlationId: shortText,
      replyTo: shortText,
      messageId: shortText,
      timestamp: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
      type: shortText,
      appId: shortText,
      clusterId: shortText,
    },
    { requiredKeys: [] },
  ),
  headers: fc.option(anyWildHeaders, { nil: undefined }),
  body: octets(50),
});
