import manager from 'amqp-connection-manager';
import { propertiesOf } from './lib/payload.js';
import { runPeer } from './lib/run-peer.js';

/** @type {import('./lib/run-peer.js').Peer['open']} */
async function open({ url, exchange, queues, key, prefetch }, handle) {
  const connection = manager.connect([url]);
  const publisher = connection.createChannel({ confirm: true });
  await publisher.waitForConnect();
  for (const queue of handle ? queues : []) {
    const channel = connection.createChannel({ confirm: false });
    await channel.consume(
      queue,
      (message) => {
        handle?.(JSON.parse(message.content.toString()));
        channel.ack(message);
      },
      { prefetch },
    );
    await channel.waitForConnect();
  }
  return {
    publish: (payload) =>
      publisher.publish(exchange, key, Buffer.from(JSON.stringify(payload)), propertiesOf(key)),
    close: () => connection.close(),
  };
}

await runPeer({ name: 'amqp-connection-manager', open });
