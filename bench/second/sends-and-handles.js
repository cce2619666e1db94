import { randomUUID } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { busOf, countdown } from './bench-bus.js';
import { connectionOf } from './own-redis.js';
import { CONCURRENCY } from './waiting-messages.js';

/** Sends under way at once. */
const AT_ONCE = 200;

/** Makes a body about 270 bytes. */
const TEXT = 'x'.repeat(240);
const payloadOf = (/** @type {number} */ n) => ({ n, id: randomUUID(), text: TEXT });

/** Calls so many times, {@link AT_ONCE} at once. @param {number} count @param {(n: number) => Promise<unknown>} send */
export async function sendAll(count, send) {
  let next = 0;
  const one = async () => {
    while (next < count) await send(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/**
 * One process that sends jobs, one a call, and handles them.
 *
 * @param {import('./rows.js').Setup} setup
 * @param {{ stores?: object, options?: (n: number) => object, close?: () => Promise<unknown> }} how
 * @returns {Promise<import('./rows.js').Case>}
 */
export async function sendingAndHandling(setup, { stores, options, close }) {
  const { count } = setup;
  const bus = busOf(setup, stores);
  const handled = countdown(count);
  bus.handle('bench.job', () => handled.one());
  await bus.start();
  return {
    run: async () => {
      await sendAll(count, (n) => bus.send('bench.job', payloadOf(n), options?.(n) ?? {}));
      await handled.over;
      await bus.stop();
    },
    close: async () => {
      await close?.();
    },
  };
}

/**
 * The same of BullMQ.
 *
 * @param {import('./rows.js').Setup} setup
 * @param {(n: number) => object} options  of each job
 * @returns {Promise<import('./rows.js').Case>}
 */
export async function addingAndWorking(setup, options) {
  const { count, prefix } = setup;
  const connection = connectionOf(setup);
  const queue = new Queue(prefix, { connection });
  const handled = countdown(count);
  const worker = new Worker(prefix, async () => handled.one(), {
    connection,
    concurrency: CONCURRENCY,
    autorun: false,
  });
  await worker.waitUntilReady();
  await queue.waitUntilReady();
  return {
    run: async () => {
      void worker.run();
      await sendAll(count, (n) => queue.add('job', payloadOf(n), { removeOnComplete: true, ...options(n) }));
      await handled.over;
      await worker.close();
    },
    close: () => queue.close(),
  };
}
