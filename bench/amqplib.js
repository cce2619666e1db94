import { connect } from 'amqplib';
import { batchedAcks } from './lib/batched-acks.js';
import { propertiesOf } from './lib/payload.js';
import { runPeer } from './lib/run-peer.js';

/** @type {import('./lib/run-peer.js').Peer['open']} */
async function open({ url, exchange, queues, key, prefetch, ack, noDelay }, handle) {
  const connection = await connect(url, { noDelay });
  let closing = false;
  const confirms = await connection.createConfirmChannel();
  for (const queue of handle ? queues : []) {
    const channel = await connection.createChannel();
    await channel.prefetch(prefetch);
    const settle =
      ack === 'batch'
        ? batchedAcks(prefetch, (message) => closing || channel.ack(message, true))
        : (/** @type {import('amqplib').ConsumeMessage} */ message) => channel.ack(message);
    await channel.consume(queue, (message) => {
      if (!message) return;
      handle?.(JSON.parse(message.content.toString()));
      settle(message);
    });
  }
  return {
    publish: (payload) =>
      new Promise((resolve, reject) => {
        const body = Buffer.from(JSON.stringify(payload));
        confirms.publish(exchange, key, body, propertiesOf(key), (error) =>
          error ? reject(error) : resolve(undefined),
        );
      }),
    close: () => {
      closing = true;
      return connection.close();
    },
  };
}

await runPeer({ name: process.argv.includes('batch') ? 'amqplib, batched acks' : 'amqplib', open });
