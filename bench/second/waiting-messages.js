import { randomUUID } from 'node:crypto';
import { Bus, rabbitmq } from 'hopline';

/** Attempts at once. */
export const CONCURRENCY = 50;

/** Makes a body about 270 bytes. */
const TEXT = 'x'.repeat(240);

/**
 * @typedef {object} Handling
 * @property {(payload: { n: number }, context: any) => unknown} handle
 * @property {object} [options]  of the handler
 * @property {object} [stores]  of the bus
 * @property {() => Promise<unknown>} [close]
 */

/**
 * A case of messages that wait already, in a quorum queue: one process handles them, {@link CONCURRENCY} at once. It is over when all are
 * acked.
 *
 * @param {import('./rows.js').Setup} setup
 * @param {Handling} handling
 * @returns {Promise<import('./rows.js').Case>}
 */
export async function handlingWaiting({ servers, count, prefix }, { handle, options = {}, stores, close }) {
  const transport = () => rabbitmq({ url: servers.rabbitmq?.url ?? '' });
  const common = { service: prefix, prefix, operatorControl: false, concurrency: CONCURRENCY };
  let left = count;
  let over = () => {};
  const handled = new Promise((resolve) => {
    over = () => resolve(undefined);
  });
  const handlingBus = () => {
    const bus = new Bus({ ...common, transport: transport(), ...(stores ? { stores } : {}) });
    const one = async (/** @type {any} */ payload, /** @type {any} */ context) => {
      await handle(payload, context);
      left -= 1;
      if (left === 0) over();
    };
    bus.handle('bench.waiting', one, options);
    return bus;
  };
  await filled(
    handlingBus(),
    new Bus({ ...common, service: `${prefix}-sender`, transport: transport() }),
    count,
  );
  const bus = handlingBus();
  return {
    run: async () => {
      await bus.start();
      await handled;
      await bus.stop();
    },
    close: async () => {
      await close?.();
    },
  };
}

/** Has a bus declare its queue, and another fill it. @param {Bus} bus @param {Bus} sender @param {number} count */
async function filled(bus, sender, count) {
  await bus.start();
  await bus.stop();
  await sender.start();
  await sender.publishMany(
    'bench.waiting',
    Array.from({ length: count }, (_none, n) => ({ n, id: randomUUID(), text: TEXT })),
  );
  await sender.stop();
}
