import { removeFromBroker } from '../../dist/test/examples/remove-from-broker.js';
import { Bus, rabbitmq } from '../../lib/index.js';

/** @type {import('./program.js').Open} */
export async function open({ url, brokerUrl, name, prefetch, concurrency, handle }) {
  const transport = rabbitmq({ url, heartbeat: '2s' });
  const options = { service: name, prefix: name, transport, operatorControl: false };
  const consumer = () =>
    new Bus(options).handle(name, (body, { messageId, headers }) => handle(body, messageId, headers), {
      queue: { name, type: 'classic', prefetch, concurrency },
    });
  const declaring = consumer();
  await declaring.start();
  await declaring.stop();
  const publisher = new Bus({ ...options, service: `${name}-publisher` });
  await publisher.start();
  const consuming = consumer();
  return {
    publish: (body, messageId) => publisher.publish(name, body, { messageId }),
    consume: () => consuming.start(),
    async close() {
      await consuming.stop();
      await publisher.stop();
      await removeFromBroker(brokerUrl, { queues: [name], prefix: name });
    },
  };
}
