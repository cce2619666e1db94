/*
 * The frames of AMQP 0-9-1 that a message consists of (sections 2.3.5 and 4.2 of the specification,
 * https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf):
 *
 *   octet type · short channel · long size · payload · octet 0xCE
 *
 * A message is a method frame (basic.publish or basic.deliver), a header frame with its properties, and body frames:
 * none, one or more.
 */

export const FRAME = { method: 1, header: 2, body: 3 } as const;

/** Octets before a frame's payload. */
export const FRAME_HEAD = 7;
/** Octets of a frame in addition to its payload. */
export const FRAME_OVERHEAD = 8;
export const FRAME_END = 0xce;

/** Class 60, method 40. */
export const BASIC_PUBLISH = 0x003c_0028;
/** Class 60, method 60. */
export const BASIC_DELIVER = 0x003c_003c;
/** The class of all methods with messages. */
export const BASIC = 60;

/** Bits of the flags word; the properties follow in this order. */
export const PROPERTY = {
  contentType: 0x8000,
  contentEncoding: 0x4000,
  headers: 0x2000,
  deliveryMode: 0x1000,
  priority: 0x0800,
  correlationId: 0x0400,
  replyTo: 0x0200,
  expiration: 0x0100,
  messageId: 0x0080,
  timestamp: 0x0040,
  type: 0x0020,
  userId: 0x0010,
  appId: 0x0008,
  clusterId: 0x0004,
} as const;

export function readShort(bytes: Buffer, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function readLong(bytes: Buffer, at: number): number {
  return ((readShort(bytes, at) << 16) | readShort(bytes, at + 2)) >>> 0;
}

/** As a number, which is exact up to 2^53. */
export function readLongLong(bytes: Buffer, at: number): number {
  return readLong(bytes, at) * 0x1_0000_0000 + readLong(bytes, at + 4);
}

export function writeShort(bytes: Buffer, at: number, value: number): number {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
  return at + 2;
}

export function writeLong(bytes: Buffer, at: number, value: number): number {
  return writeShort(bytes, writeShort(bytes, at, value >>> 16), value & 0xffff);
}

/** @param value a safe integer that is not negative */
export function writeLongLong(bytes: Buffer, at: number, value: number): number {
  return writeLong(bytes, writeLong(bytes, at, Math.floor(value / 0x1_0000_0000)), value >>> 0);
}

/** Offset after the string whose length is at `at`. */
export function afterString(bytes: Buffer, at: number): number {
  return at + 1 + (bytes[at] as number);
}

/** End of the frame of this type at `at`; negative if it is incomplete or of another type. */
export function endOfFrame(bytes: Buffer, at: number, type: number): number {
  if (at + FRAME_OVERHEAD > bytes.length || bytes[at] !== type) return -1;
  const end = at + FRAME_OVERHEAD + readLong(bytes, at + 3);
  return end <= bytes.length && bytes[end - 1] === FRAME_END ? end : -1;
}
