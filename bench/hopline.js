import { Bus, defineMessage, rabbitmq } from 'hopline';
import { Handles, handlers, Queue } from 'hopline/decorators';
import { z } from 'zod';
import { packs } from './lib/modes.js';
import { runPeer } from './lib/run-peer.js';

/** @typedef {import('./lib/run-peer.js').Setup} Setup @typedef {import('./lib/run-peer.js').Handle} Handle */

const SCHEMA = z.object({
  id: z.number(),
  at: z.number().optional(),
  name: z.string(),
  email: z.string(),
  tags: z.array(z.string()).optional(),
  text: z.string(),
});

const UNWANTED = /** @type {const} */ (['message.retried', 'message.released', 'message.deadLettered']);

const VARIANTS = Object.entries({ '--validate': 'validated', '--metrics': 'metrics' });

const observe = process.argv.includes('--metrics') ? await withMetrics() : () => {};

/** What costs something for each message, beside a scrape from time to time. */
async function withMetrics() {
  const { prometheus } = await import('hopline/prometheus');
  const { register } = await import('prom-client');
  return (/** @type {Bus} */ bus) => void prometheus(bus, { register });
}

/** A decorated class for each queue. Plain JavaScript has no decorators yet: they are called as the compiler would. */
function handlerClasses(/** @type {Setup} */ setup, /** @type {Handle} */ handle) {
  const pattern = setup.validate ? defineMessage(setup.key, SCHEMA) : setup.key;
  return setup.queues.map((name) => {
    class BenchHandler {
      handle(/** @type {any} */ payload) {
        handle(payload);
      }
    }
    Handles(pattern)(BenchHandler);
    Queue({ name, type: setup.queue, concurrency: setup.prefetch, prefetch: setup.prefetch })(BenchHandler);
    return BenchHandler;
  });
}

/** @param {Setup} setup @param {Handle} [handle] */
function busOf(setup, handle) {
  const bus = new Bus({
    service: 'bench',
    prefix: setup.prefix,
    transport: rabbitmq({ url: setup.url }),
    handlers: handle ? handlers(handlerClasses(setup, handle)) : [],
    // The null broker delivers to whoever consumes, also to who only listens to operators.
    operatorControl: false,
  });
  observe(bus);
  // What comes back, or is given up, is not what is measured: a bench that brings it about is wrong.
  for (const event of UNWANTED) {
    bus.on(event, ({ routingKey }) => {
      console.error(`error: ${event} of '${routingKey}'`);
      process.exit(1);
    });
  }
  return bus;
}

/** Its queues are declared by itself, with what its promises need. @param {Setup} setup */
async function declare(setup) {
  const bus = busOf(setup, () => {});
  await bus.start();
  await bus.stop();
}

/** @type {import('./lib/run-peer.js').Peer['open']} */
async function open(setup, handle) {
  const bus = busOf(setup, handle);
  await bus.start();
  const target = setup.validate ? defineMessage(setup.key, SCHEMA) : setup.key;
  return {
    publish: (payload) => bus.publish(/** @type {any} */ (target), payload),
    close: () => bus.stop(),
  };
}

await runPeer({
  name: ['hopline', ...VARIANTS.flatMap(([flag, name]) => (process.argv.includes(flag) ? name : []))].join(
    ', ',
  ),
  open,
  declare,
  run: {
    packs: (setup) =>
      packs(async (given, handle) => {
        const bus = busOf(given, handle);
        await bus.start();
        return {
          publishPacked: (payloads, pack) => bus.publishMany(given.key, payloads, { pack }),
          close: () => bus.stop(),
        };
      }, setup),
  },
});
