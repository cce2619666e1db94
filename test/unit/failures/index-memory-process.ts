import { setTimeout as pause } from 'node:timers/promises';
import { type Read, readForIndex, Shared } from '../../../src/failures/groups/indexed.js';
import { readLetter } from '../../../src/failures/letters/read-letter.js';
import { HEADER } from '../../../src/message/headers.js';
import { Names } from '../../../src/topology/names.js';
import type { Delivery } from '../../../src/transport/transport.js';

/*
 * Reads letters for the index, in a process with `--expose-gc` that does nothing else, and says how many kB of what they were read from
 * the next small collection of garbage has left: `index-memory-process.js`.
 */

const names = new Names('shop');
const KB = 1024;
const READS = 200;
/** Of the socket, in which a delivery's body and headers are views. */
const READ_BYTES = 64 * KB;
/** Letters that somebody has: what is kept beside so many is old to the collector. */
const OTHERS = 3_000;

function deliveryOf(place: number, read: Buffer): Delivery {
  const headers = { [HEADER.reason]: 'exhausted', [HEADER.error]: `TypeError: no stock ${place}` };
  return {
    ...{ queue: 'shop.orders.dead', exchange: '', routingKey: '', redelivered: false, deliveryCount: 0 },
    body: read.subarray(1),
    properties: { messageId: `letter-${place}`, headers },
    source: { encoded: { headers: read.subarray(0, 1), flags: 0 }, read: { headers } },
  } as unknown as Delivery;
}

const bytes = (size: number) => Buffer.from(new ArrayBuffer(size));

const collect = globalThis.gc as (options?: { type: 'minor' }) => void;
const others = Array.from({ length: OTHERS }, (_none, place) =>
  readLetter(deliveryOf(place, bytes(2)), names),
);
const shared = new Shared();
const letters: Read[] = [];
collect();
const before = process.memoryUsage().arrayBuffers;
for (let place = 0; place < READS; place += 1)
  letters.push(readForIndex(deliveryOf(place, bytes(READ_BYTES)), names, shared));
collect({ type: 'minor' });
const heldKb = () => Math.round((process.memoryUsage().arrayBuffers - before) / KB);
// What is collected is given back by another thread.
for (let round = 0; round < 100 && heldKb() > 0; round += 1) await pause(20);
console.log(
  JSON.stringify({
    readKb: (READS * READ_BYTES) / KB,
    heldKb: heldKb(),
    letters: letters.length + others.length,
  }),
);
