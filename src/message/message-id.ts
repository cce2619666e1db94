import { randomFillSync, randomUUID } from 'node:crypto';
import { v5, v7 } from 'uuid';

const ID_BYTES = 16;
const pool = new Uint8Array(256 * ID_BYTES);
let taken = pool.length;

/** Random bytes for one id, from a buffer: a system call for each id would cost more than the rest of a publish. */
function random(): Uint8Array {
  if (taken === pool.length) {
    randomFillSync(pool);
    taken = 0;
  }
  taken += ID_BYTES;
  return pool.subarray(taken - ID_BYTES, taken);
}

/** A new UUIDv7 (RFC 9562): unique, and with the millisecond of its creation. @param now in wall-clock milliseconds */
export const newMessageId = (now = Date.now()): string => v7({ rng: random, msecs: now });

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
