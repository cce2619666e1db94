import { randomFillSync, randomUUID } from 'node:crypto';
import { v5 } from 'uuid';

const ID_BYTES = 16;
const HEX_OF_ID = 2 * ID_BYTES;
const bytes = Buffer.alloc(256 * ID_BYTES);
/** The bytes of ids, with their version and variant; their first six are the time's. */
let pool = '';
let taken = 0;

/**
 * Random bits for many ids at once: a system call for each id, or its text digit by digit, would cost as much as half of all else
 * that a publish does.
 */
function refill(): void {
  randomFillSync(bytes);
  for (let at = 0; at < bytes.length; at += ID_BYTES) {
    bytes[at + 6] = 0x70 | ((bytes[at + 6] as number) & 0x0f);
    bytes[at + 8] = 0x80 | ((bytes[at + 8] as number) & 0x3f);
  }
  pool = bytes.toString('hex');
  taken = 0;
}

let moment = Number.NaN;
let momentText = '';

/** The first 48 bits of the ids of a millisecond, and the dash that follows them. */
function textOf(now: number): string {
  if (now === moment) return momentText;
  const hex = Math.floor(now).toString(16).padStart(12, '0');
  moment = now;
  momentText = `${hex.slice(0, 8)}-${hex.slice(8)}-`;
  return momentText;
}

/** A new UUIDv7 (RFC 9562): unique, and with the millisecond of its creation. @param now in wall-clock milliseconds */
export function newMessageId(now = Date.now()): string {
  if (taken === pool.length) refill();
  const at = taken;
  taken += HEX_OF_ID;
  const version = pool.slice(at + 12, at + 16);
  const variant = pool.slice(at + 16, at + 20);
  return `${textOf(now)}${version}-${variant}-${pool.slice(at + 20, at + HEX_OF_ID)}`;
}

/** An id for a message that was published without one: a UUIDv4 (RFC 9562), which claims no time of publishing. */
export const datelessMessageId = (): string => randomUUID();

/** Namespace of derived message ids. */
const FOLLOWING = 'b1f6d8c5-2f0e-4d6a-9a53-0c7d5e1f4a92';

/**
 * Message id derived from another message's id, always the same for the same input: a UUIDv5 (RFC 9562). A
 * message that is sent twice, because its cause was handled twice, can so be recognised.
 *
 * @param as role of the derived message, since one message may lead to several
 */
export const followingId = (
  messageId: string,
  as: 'next' | 'failure' | 'job' | 'then' | 'catch' | 'finally' | 'progress' | `progress/${number}`,
): string => v5(`${messageId}/${as}`, FOLLOWING);

/** Namespace of ids of what handlers publish after their attempts. */
const PUBLISHED = '3a7e0d52-6c1f-4b8e-9d27-51f0c8a4e6b3';

/**
 * Message id of what an attempt publishes: a UUIDv5 (RFC 9562) of the name of its call, the same whenever the attempt is made
 * again.
 */
export const publishedId = (name: string): string => v5(name, PUBLISHED);

/** Namespace of ids that replace longer ones. */
const SHORTENED = '0f3a1c52-86d1-4d0b-9a0e-5b1b0c9a7e61';

/**
 * An id that fits AMQP's 255 bytes. A longer id came from elsewhere (bytes that are not UTF-8 become three each
 * when they are read; a message of a pack appends its index to the pack's id); it is replaced by its UUIDv5,
 * always the same.
 */
export function fittingId(id: string): string {
  // 85 UTF-16 units are never more than 255 bytes.
  return id.length <= 85 || Buffer.byteLength(id) <= 255 ? id : v5(id, SHORTENED);
}

/** Namespace of keys of parts of handlers' work. */
const PARTS = '5d0c1b1e-7a3c-4f0e-8f5c-2b8e6d9a4c17';

/**
 * Key of a part of a handler's work, for other systems: a UUIDv5 (RFC 9562) of the part's full name, the same
 * on every run.
 */
export const partKey = (name: string): string => v5(name, PARTS);
