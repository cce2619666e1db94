import { Meter } from './meter.js';
import { payloadOf } from './payload.js';
import { publishAll } from './publish-all.js';

/** @typedef {import('./run-peer.js').Peer} Peer @typedef {import('./setup.js').Setup} Setup */

/** Counts what is handled; a stretch of it can be awaited. */
class Handled {
  count = 0;
  #goal = Number.POSITIVE_INFINITY;
  /** @type {() => void} */
  #reached = () => {};

  one = () => {
    this.count += 1;
    if (this.count === this.#goal) this.#reached();
  };

  /** Resolves in the turn in which that many are handled. @param {number} goal @returns {Promise<void>} */
  reach(goal) {
    if (this.count >= goal) return Promise.resolve();
    this.#goal = goal;
    return new Promise((resolve) => {
      this.#reached = resolve;
    });
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
  const warm = handled.reach(warmup);
  const session = await peer.open(setup, handled.one);
  await warm;
  meter.start();
  const from = handled.count;
  await handled.reach(from + n);
  const result = meter.stop(handled.count - from);
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
    const all = handled.reach(handled.count + count);
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
    const all = handled.reach(handled.count + count * queues.length);
    await Promise.all([all, publishAll(session.publish, { count, size, window })]);
  };
  await round(warmup);
  meter.start();
  await round(n);
  const result = meter.stop(n);
  await session.close();
  return result;
}
