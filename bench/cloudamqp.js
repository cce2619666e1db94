import { AMQPClient } from '@cloudamqp/amqp-client';
import { propertiesOf } from './lib/payload.js';
import { runPeer } from './lib/run-peer.js';

/** Its low-level interface, which is the faster of its two. */
/** @type {import('./lib/run-peer.js').Peer['open']} */
async function open({ url, exchange, queues, key, prefetch }, handle) {
  const client = new AMQPClient(url);
  await client.connect();
  const publisher = await client.channel();
  await publisher.confirmSelect();
  for (const queue of handle ? queues : []) {
    const channel = await client.channel();
    await channel.prefetch(prefetch);
    await channel.basicConsume(queue, { noAck: false }, (message) => {
      handle?.(JSON.parse(message.bodyString() ?? ''));
      return message.ack();
    });
  }
  return {
    publish: (payload) => {
      const { persistent, timestamp, ...properties } = propertiesOf(key);
      return publisher.basicPublish(exchange, key, JSON.stringify(payload), {
        ...properties,
        deliveryMode: persistent ? 2 : 1,
        timestamp: new Date(timestamp * 1_000),
      });
    },
    close: () => client.close(),
  };
}

await runPeer({ name: '@cloudamqp/amqp-client', open });
