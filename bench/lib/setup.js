import { connect } from 'amqplib';
import { payloadOf, propertiesOf } from './payload.js';

/**
 * Where one run takes place. The names are its own, so that nothing of another run gets in its way.
 *
 * @typedef {import('./options.js').Options & {
 *   prefix: string,
 *   exchange: string,
 *   queues: string[],
 *   key: string,
 * }} Setup
 */

/** Publishes of the filling that wait for their confirm at once. */
const FILL_WINDOW = 2_000;

/** @param {import('./options.js').Options} options @param {string} [prefix]  of another process that takes part @returns {Setup} */
export function setupOf(options, prefix = `bench-${process.pid}-${Date.now().toString(36)}`) {
  const count = options.mode === 'fanout' ? 3 : 1;
  return {
    ...options,
    prefix,
    exchange: `${prefix}.events`,
    queues: Array.from({ length: count }, (_, index) => `${prefix}.queue-${index + 1}`),
    key: 'bench.event',
  };
}

/** A durable topic exchange, and durable queues bound to it: what every peer would declare. @param {Setup} setup */
export function declare({ url, exchange, queues, key, queue: type }) {
  return withChannel(url, async (channel) => {
    await channel.assertExchange(exchange, 'topic', { durable: true });
    for (const queue of queues) {
      await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': type } });
      await channel.bindQueue(queue, exchange, key);
    }
  });
}

/** Puts messages into the queue, so that consuming is all that is left to do. @param {Setup} setup @param {number} count */
export function fill({ url, exchange, key, size }, count) {
  return withChannel(url, async (channel) => {
    const payload = payloadOf(size);
    for (let sent = 0; sent < count; ) {
      const end = Math.min(count, sent + FILL_WINDOW);
      for (; sent < end; sent += 1) {
        payload.id = sent;
        channel.publish(exchange, key, Buffer.from(JSON.stringify(payload)), propertiesOf(key));
      }
      await channel.waitForConfirms();
    }
  });
}

/** Leaves nothing of the run in the broker. @param {Setup} setup */
export function tearDown({ url, prefix, exchange, queues }) {
  return withChannel(url, async (channel) => {
    for (const queue of queues) {
      await channel.deleteQueue(queue);
      // What Hopline declares beside it; deleting what is not there is fine.
      await channel.deleteQueue(`${queue}.dead`);
    }
    for (const name of [exchange, `${prefix}.dead`, `${prefix}.control`]) await channel.deleteExchange(name);
  });
}

/** @param {string} url @param {(channel: import('amqplib').ConfirmChannel) => Promise<void>} work */
async function withChannel(url, work) {
  const connection = await connect(url, { noDelay: true });
  try {
    await work(await connection.createConfirmChannel());
  } finally {
    await connection.close();
  }
}
