/**
 * Value tags of header tables as RabbitMQ reads them. Its errata list all but `L`, which it reads as `l`
 * (https://www.rabbitmq.com/docs/amqp-0-9-1-errata#section_3, and parse_table in rabbit_binary_parser.erl).
 */
export const TAG = {
  text: 'S'.charCodeAt(0),
  truth: 't'.charCodeAt(0),
  int8: 'b'.charCodeAt(0),
  uint8: 'B'.charCodeAt(0),
  int16: 's'.charCodeAt(0),
  uint16: 'u'.charCodeAt(0),
  int32: 'I'.charCodeAt(0),
  uint32: 'i'.charCodeAt(0),
  int64: 'l'.charCodeAt(0),
  int64Too: 'L'.charCodeAt(0),
  float: 'f'.charCodeAt(0),
  double: 'd'.charCodeAt(0),
  decimal: 'D'.charCodeAt(0),
  time: 'T'.charCodeAt(0),
  bytes: 'x'.charCodeAt(0),
  nothing: 'V'.charCodeAt(0),
  list: 'A'.charCodeAt(0),
  table: 'F'.charCodeAt(0),
} as const;

/** Size in octets of values of fixed size; all others begin with their length. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [TAG.nothing, 0],
  [TAG.truth, 1],
  [TAG.int8, 1],
  [TAG.uint8, 1],
  [TAG.int16, 2],
  [TAG.uint16, 2],
  [TAG.int32, 4],
  [TAG.uint32, 4],
  [TAG.int64, 8],
  [TAG.int64Too, 8],
  [TAG.float, 4],
  [TAG.double, 8],
  [TAG.decimal, 5],
  [TAG.time, 8],
]);

/**
 * Start and end of the content of the value whose tag is at `at`. The bytes have been read before, so nothing
 * is checked.
 */
export function contentOf(bytes: Buffer, at: number): { readonly start: number; readonly end: number } {
  const size = SIZES.get(bytes[at] as number);
  if (size !== undefined) return { start: at + 1, end: at + 1 + size };
  return { start: at + 5, end: at + 5 + bytes.readUInt32BE(at + 1) };
}

/** Tag of a number, as the client library chooses it: the smallest integer that holds the number, else a double. */
export function tagOfNumber(value: number): number {
  if (!Number.isInteger(value) || value >= 2 ** 63 || value < -(2 ** 63)) return TAG.double;
  if (value >= -0x80 && value < 0x80) return TAG.int8;
  if (value >= -0x8000 && value < 0x8000) return TAG.int16;
  return (value | 0) === value ? TAG.int32 : TAG.int64;
}
