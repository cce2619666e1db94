import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

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
