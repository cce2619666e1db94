import { Meter } from './meter.js';
import { payloadOf } from './payload.js';
import { publishAll } from './publish-all.js';

/** @typedef {import('./run-peer.js').Peer} Peer @typedef {import('./setup.js').Setup} Setup */

/** Counts what is handled; does what is to be done at the very message that reaches a goal. */
class Handled {
  count = 0;
  /** @type {{ at: number, then: () => void }[]} */
  #goals = [];

  one = () => {
    this.count += 1;
    while (this.count === this.#goals[0]?.at) this.#goals.shift()?.then();
  };

  /** In the order of the goals. @template T @param {number} at @param {() => T} then @returns {Promise<T>} */
  on(at, then) {
    return new Promise((resolve) => this.#goals.push({ at, then: () => resolve(then()) }));
  }
}

/** A promise for each publish, confirmed by the broker. @param {Peer} peer @param {Setup} setup */
export async function publish(peer, setup) {
  const { n, warmup, size, window } = setup;
  const session = await peer.open(setup);
  const meter = new Meter(setup.brokerPid);
  await publishAll(session.publish, { count: warmup, size, window });
  meter.start();
  await publishAll(session.publish, { count: n, size, window });
  const result = meter.stop(n);
  await session.close();
  return result;
}

/** Messages that are there already are handled and acked. @param {Peer} peer @param {Setup} setup */
export async function consume(peer, setup) {
  const { n, warmup } = setup;
  const handled = new Handled();
  const meter = new Meter(setup.brokerPid);
  void handled.on(warmup, () => meter.start());
  const measured = handled.on(warmup + n, () => meter.stop(n));
  const session = await peer.open(setup, handled.one);
  const result = await measured;
  await session.close();
  return result;
}

/**
 * Published in packs and handled one by one, in one process.
 *
 * @param {import('./run-peer.js').Open} open  gives a session with `publishPacked(payloads)`
 * @param {Setup} setup
 */
export async function packs(open, setup) {
  const { n, warmup, size, pack } = setup;
  const handled = new Handled();
  const meter = new Meter(setup.brokerPid);
  const { publishPacked, close } = await open(setup, handled.one);
  const payload = payloadOf(size);
  const round = async (/** @type {number} */ count) => {
    const all = handled.on(handled.count + count, () => {});
    await Promise.all([all, publishPacked(repeated(payload, count), pack)]);
  };
  await round(warmup);
  meter.start();
  await round(n);
  const result = meter.stop(n);
  await close();
  return result;
}

/** @param {import('./payload.js').Payload} payload @param {number} count */
function* repeated(payload, count) {
  for (let sent = 0; sent < count; sent += 1) {
    payload.id = sent;
    yield payload;
  }
}

/** Published and handled in one process, by each of the queues. @param {Peer} peer @param {Setup} setup */
export async function endToEnd(peer, setup) {
  const { n, warmup, size, window, queues } = setup;
  const handled = new Handled();
  const meter = new Meter(setup.brokerPid);
  const session = await peer.open(setup, handled.one);
  const round = async (/** @type {number} */ count) => {
    const all = handled.on(handled.count + count * queues.length, () => {});
    await Promise.all([all, publishAll(session.publish, { count, size, window })]);
  };
  await round(warmup);
  meter.start();
  await round(n);
  const result = meter.stop(n);
  await session.close();
  return result;
}
