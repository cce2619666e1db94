/** The few shapes of AMQP 0-9-1 that the null broker writes (https://www.rabbitmq.com/amqp-0-9-1-reference). */

export const FRAME = { method: 1, header: 2, body: 3, heartbeat: 8 };
export const FRAME_END = 0xce;
/** Type, channel and size before the payload, the end mark after it. */
export const FRAME_OVERHEAD = 8;

/** @param {number} class_ @param {number} method  what methods are told apart by */
export const methodId = (class_, method) => class_ * 65_536 + method;

/** @param {string} text  at most 255 bytes */
export function shortString(text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

/** @param {string | Buffer} text */
export function longString(text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** @param {number} value */
export function uint16(value) {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** @param {number} value */
export function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** @param {number} value */
export function uint64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/**
 * A field table of texts, booleans and further tables.
 *
 * @param {Record<string, any>} fields
 * @returns {Buffer}
 */
export function table(fields) {
  const entries = Object.entries(fields).flatMap(([name, value]) => {
    if (typeof value === 'boolean')
      return [shortString(name), Buffer.from(['t'.charCodeAt(0), value ? 1 : 0])];
    if (typeof value === 'string') return [shortString(name), Buffer.from('S'), longString(value)];
    return [shortString(name), Buffer.from('F'), table(value)];
  });
  return longString(Buffer.concat(entries));
}

/** @param {number} type @param {number} channel @param {Buffer} payload */
export function frame(type, channel, payload) {
  const head = Buffer.concat([Buffer.from([type]), uint16(channel), uint32(payload.length)]);
  return Buffer.concat([head, payload, Buffer.from([FRAME_END])]);
}

/** @param {number} channel @param {number} class_ @param {number} method @param {Buffer[]} args */
export function methodFrame(channel, class_, method, ...args) {
  return frame(FRAME.method, channel, Buffer.concat([uint16(class_), uint16(method), ...args]));
}

/** @param {Buffer} bytes @param {number} at */
export function readShortString(bytes, at) {
  const end = at + 1 + bytes[at];
  return { text: bytes.toString('utf8', at + 1, end), end };
}

/** A delivery tag, which stays far below 2^53. @param {Buffer} bytes @param {number} at */
export const readUint64 = (bytes, at) => bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
