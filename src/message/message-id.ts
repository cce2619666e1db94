import { randomFillSync, randomUUID } from 'node:crypto';
import { v5, v7 } from 'uuid';
import type { BatchWord } from './batch.js';

const ID_BYTES = 16;
const pool = new Uint8Array(256 * ID_BYTES);
let taken = pool.length;

/** Random bytes for one id. Asking the system for each costs more than all the rest of a publish. */
function random(): Uint8Array {
  if (taken === pool.length) {
    randomFillSync(pool);
    taken = 0;
  }
  taken += ID_BYTES;
  return pool.subarray(taken - ID_BYTES, taken);
}

/** A new UUIDv7 (RFC 9562): unique, and it holds the millisecond of its making. */
export const newMessageId = (): string => v7({ rng: random });

/** For a message that was published without one: it says nothing of when (UUIDv4, RFC 9562). */
export const datelessMessageId = (): string => randomUUID();

/** The namespace of ids that follow from others. */
const FOLLOWING = 'b1f6d8c5-2f0e-4d6a-9a53-0c7d5e1f4a92';

/**
 * The id of what a message leads to, always the same for the same message: a UUIDv5 (RFC 9562), so that what is sent twice
 * because its cause was handled twice can be told.
 *
 * @param as what it is to that message, since one may lead to several
 */
export const followingId = (
  messageId: string,
  as: 'next' | 'failure' | 'job' | BatchWord | `progress/${number}`,
): string => v5(`${messageId}/${as}`, FOLLOWING);

/** The namespace of ids that stand for longer ones. */
const SHORTENED = '0f3a1c52-86d1-4d0b-9a0e-5b1b0c9a7e61';

/**
 * An id as AMQP can carry it: 255 bytes at most. A longer one came from elsewhere (bytes that are no UTF-8 take three each once
 * they are read, and an item of a pack has its place behind the pack's id); a UUIDv5 of it stands for it, always the same.
 */
export function fittingId(id: string): string {
  // 85 units of UTF-16 are never more than 255 bytes.
  return id.length <= 85 || Buffer.byteLength(id) <= 255 ? id : v5(id, SHORTENED);
}

/** The namespace of keys of parts of handlers' work. */
const PARTS = '5d0c1b1e-7a3c-4f0e-8f5c-2b8e6d9a4c17';

/** What others know a part of a handler's work by, whenever it is done: a UUIDv5 (RFC 9562) of its full name. */
export const partKey = (name: string): string => v5(name, PARTS);
