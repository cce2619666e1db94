import rascal from 'rascal';
import { propertiesOf } from './lib/payload.js';
import { runPeer } from './lib/run-peer.js';

const { BrokerAsPromised, withDefaultConfig } = rascal;

/** @param {import('./lib/run-peer.js').Setup} setup */
function configOf({ url, exchange, queues, key, prefetch }) {
  return withDefaultConfig({
    vhosts: {
      '/': {
        connection: { url },
        exchanges: { [exchange]: { assert: false } },
        queues: Object.fromEntries(queues.map((queue) => [queue, { assert: false }])),
      },
    },
    publications: { event: { exchange, routingKey: key, options: { mandatory: false } } },
    subscriptions: Object.fromEntries(queues.map((queue) => [queue, { queue, prefetch }])),
  });
}

/** @type {import('./lib/run-peer.js').Peer['open']} */
async function open(setup, handle) {
  const broker = await BrokerAsPromised.create(configOf(setup));
  broker.on('error', console.error);
  for (const queue of handle ? setup.queues : []) {
    const subscription = await broker.subscribe(queue);
    subscription.on('message', (_message, content, ackOrNack) => {
      handle?.(content);
      ackOrNack();
    });
  }
  return {
    publish: async (payload) => {
      const publication = await broker.publish('event', payload, { options: propertiesOf(setup.key) });
      await new Promise((resolve, reject) => publication.on('success', resolve).on('error', reject));
    },
    close: () => broker.shutdown(),
  };
}

await runPeer({ name: 'rascal', open });
