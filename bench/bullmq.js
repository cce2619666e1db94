import { Queue, Worker } from 'bullmq';
import { payloadOf } from './lib/payload.js';
import { runPeer } from './lib/run-peer.js';

/** @typedef {import('./lib/run-peer.js').Setup} Setup */

/** Jobs of one addBulk. */
const BULK = 1_000;

/** Done jobs go away, as messages do. */
const JOB = { removeOnComplete: true, removeOnFail: true };

/** @param {Setup} setup */
function connectionOf({ redis }) {
  const { hostname, port } = new URL(redis);
  return { host: hostname, port: Number(port), maxRetriesPerRequest: null };
}

/** @param {Setup} setup */
const queueOf = (setup) =>
  new Queue(setup.prefix, { connection: connectionOf(setup), defaultJobOptions: JOB });

/** @param {Setup} setup @param {number} count */
async function fill(setup, count) {
  const queue = queueOf(setup);
  const data = payloadOf(setup.size);
  for (let sent = 0; sent < count; sent += BULK) {
    const jobs = Array.from({ length: Math.min(BULK, count - sent) }, () => ({ name: setup.key, data }));
    await queue.addBulk(jobs);
  }
  await queue.close();
}

/** @type {import('./lib/run-peer.js').Peer['open']} */
async function open(setup, handle) {
  const queue = queueOf(setup);
  const settings = { connection: connectionOf(setup), concurrency: setup.prefetch, ...JOB };
  const worker = handle && new Worker(setup.prefix, async ({ data }) => handle(data), settings);
  return {
    publish: (payload) => queue.add(setup.key, payload),
    close: async () => {
      await worker?.close();
      await queue.close();
    },
  };
}

/** @param {Setup} setup */
async function tearDown(setup) {
  const queue = queueOf(setup);
  await queue.obliterate({ force: true });
  await queue.close();
}

await runPeer({ name: 'BullMQ', open, fill, tearDown, declare: async () => {} });
