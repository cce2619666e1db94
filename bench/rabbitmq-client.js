import { Connection } from 'rabbitmq-client';
import { propertiesOf } from './lib/payload.js';
import { runPeer } from './lib/run-peer.js';

/** @type {import('./lib/run-peer.js').Peer['open']} */
async function open({ url, exchange, queues, key, prefetch }, handle) {
  const connection = new Connection(url);
  await connection.onConnect();
  const publisher = connection.createPublisher({ confirm: true });
  const consumers = (handle ? queues : []).map((queue) =>
    connection.createConsumer({ queue, qos: { prefetchCount: prefetch } }, (message) => {
      // It has parsed JSON already, and acks when this returns.
      handle?.(message.body);
    }),
  );
  // On a queue that never ends it acks on after its channel is closed.
  for (const consumer of consumers) consumer.on('error', () => {});
  return {
    publish: (payload) => {
      const { persistent, ...properties } = propertiesOf(key);
      return publisher.send({ exchange, routingKey: key, durable: persistent, ...properties }, payload);
    },
    close: async () => {
      await Promise.all(consumers.map((consumer) => consumer.close()));
      await publisher.close();
      await connection.close();
    },
  };
}

await runPeer({ name: 'rabbitmq-client', open });
