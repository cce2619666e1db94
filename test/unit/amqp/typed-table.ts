import fc from 'fast-check';

/*
 * Header tables in every type that RabbitMQ takes, written octet by octet from its errata
 * (https://www.rabbitmq.com/docs/amqp-0-9-1-errata#section_3): the client library writes only some of them.
 */

/** A value as it lies on the wire, and as it is read. */
export interface TypedValue {
  readonly bytes: Buffer;
  readonly read: unknown;
}

export type TypedTable = readonly (readonly [name: string, value: TypedValue])[];

const tagged = (tag: string, ...parts: readonly Buffer[]) =>
  Buffer.concat([Buffer.from(tag, 'latin1'), ...parts]);

function fixed(size: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(size);
  write(bytes);
  return bytes;
}

const long = (value: number) => fixed(4, (bytes) => bytes.writeUInt32BE(value));
const counted = (bytes: Buffer) => Buffer.concat([long(bytes.length), bytes]);

const integer = (tag: string, bits: number, isSigned: boolean): fc.Arbitrary<TypedValue> => {
  const max = isSigned ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const min = isSigned ? -(2 ** (bits - 1)) : 0;
  return fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max })).map((read) => ({
    read,
    bytes: tagged(
      tag,
      fixed(bits / 8, (bytes) =>
        isSigned ? bytes.writeIntBE(read, 0, bits / 8) : bytes.writeUIntBE(read, 0, bits / 8),
      ),
    ),
  }));
};

const int64 = (tag: string): fc.Arbitrary<TypedValue> =>
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({
    read: Number(value),
    bytes: tagged(
      tag,
      fixed(8, (bytes) => bytes.writeBigInt64BE(value)),
    ),
  }));

const text = fc.string({ unit: 'binary', maxLength: 50 });

const name = fc
  .oneof(fc.string({ maxLength: 12 }), text, fc.constantFrom('__proto__', 'constructor', 'toString'))
  .filter((value) => Buffer.byteLength(value) <= 255);

const plain: readonly fc.Arbitrary<TypedValue>[] = [
  integer('b', 8, true),
  integer('B', 8, false),
  integer('s', 16, true),
  integer('u', 16, false),
  integer('I', 32, true),
  integer('i', 32, false),
  int64('l'),
  int64('L'),
  fc.boolean().map((read) => ({ read, bytes: tagged('t', Buffer.from([read ? 1 : 0])) })),
  fc.float({ noNaN: true }).map((read) => ({
    read,
    bytes: tagged(
      'f',
      fixed(4, (bytes) => bytes.writeFloatBE(read)),
    ),
  })),
  fc.double({ noNaN: true }).map((read) => ({
    read,
    bytes: tagged(
      'd',
      fixed(8, (bytes) => bytes.writeDoubleBE(read)),
    ),
  })),
  fc.tuple(fc.nat(255), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })).map(([places, digits]) => ({
    read: { '!': 'decimal', value: { places, digits } },
    bytes: tagged('D', Buffer.from([places]), long(digits >>> 0)),
  })),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => ({
    read: { '!': 'timestamp', value: Number(value) },
    bytes: tagged(
      'T',
      fixed(8, (bytes) => bytes.writeBigUInt64BE(value)),
    ),
  })),
  text.map((read) => ({ read, bytes: tagged('S', counted(Buffer.from(read))) })),
  fc.uint8Array({ maxLength: 50 }).map((value) => {
    const read = Buffer.from(value);
    return { read, bytes: tagged('x', counted(read)) };
  }),
  fc.constant({ read: null, bytes: tagged('V') }),
];

const { table, value } = fc.letrec<{ value: TypedValue; table: TypedTable }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    ...plain,
    fc.array(tie('value'), { maxLength: 4 }).map((values) => ({
      read: values.map(({ read }) => read),
      bytes: tagged('A', counted(Buffer.concat(values.map(({ bytes }) => bytes)))),
    })),
    tie('table').map((entries) => ({ read: readOf(entries), bytes: tagged('F', tableBytes(entries)) })),
  ),
  table: fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }),
}));

/** Tables of any types, in each other. */
export const typedTable: fc.Arbitrary<TypedTable> = table;
export const typedValue: fc.Arbitrary<TypedValue> = value;

/** As it lies on the wire, its length first. */
export function tableBytes(entries: TypedTable): Buffer {
  return counted(Buffer.concat(entries.map(([key, { bytes }]) => Buffer.concat([shortText(key), bytes]))));
}

/** As it is read: of two entries of one name the later one. */
export function readOf(entries: TypedTable): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const [key, { read: value }] of entries)
    Object.defineProperty(read, key, { value, enumerable: true, configurable: true, writable: true });
  return read;
}

/** So many lists in each other. */
export function nested(levels: number): TypedValue {
  let inner: TypedValue = { read: [], bytes: tagged('A', long(0)) };
  for (let level = 1; level < levels; level += 1)
    inner = { read: [inner.read], bytes: tagged('A', counted(inner.bytes)) };
  return inner;
}

/** A content header that has nothing but headers, as its frame. */
export function contentHeader(channel: number, bodyBytes: number, headers: Buffer): Buffer {
  const payload = Buffer.concat([
    Buffer.from([0, 60, 0, 0]),
    fixed(8, (bytes) => bytes.writeBigUInt64BE(BigInt(bodyBytes))),
    Buffer.from([0x20, 0]),
    headers,
  ]);
  return Buffer.concat([
    Buffer.from([2, channel >> 8, channel & 0xff]),
    counted(payload),
    Buffer.from([0xce]),
  ]);
}

function shortText(content: string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}
