import { createServer } from 'node:net';
import { NullConnection } from './connection.js';
import { cannedBody } from './message.js';

/** Further patterns of a queue than these are kept, but nothing comes by their keys. */
const MAX_KEYS = 10_000;

/** What all connections share: which keys lead to which queue. */
export class World {
  /** @type {Map<string, { exchange: string, keys: string[] }>} */
  #queues = new Map();

  /** @param {number} size  bytes of a delivery's body */
  constructor(size) {
    this.body = cannedBody(size);
  }

  /**
   * What nothing comes by here: a pattern that begins with a wildcard, which stands for too much to guess a key, and the
   * queue's own name. Hopline binds its queues with such ones to what comes back from the delays.
   *
   * @param {string} queue @param {string} exchange @param {string} pattern
   */
  bind(queue, exchange, pattern) {
    if (/^[*#]/.test(pattern) || pattern === queue) return;
    const known = this.#queues.get(queue) ?? { exchange, keys: [] };
    const key = pattern.replaceAll(/[*#]/g, 'x');
    if (!known.keys.includes(key) && known.keys.length < MAX_KEYS) known.keys.push(key);
    this.#queues.set(queue, known);
  }

  /**
   * Where a delivery of this queue says that it comes from: its bindings in turn, or the default exchange. To a queue of
   * the broker's own, such as that for direct replies, nothing comes.
   *
   * @param {string} queue
   */
  source(queue) {
    if (queue.startsWith('amq.')) return { exchange: '', keys: [], body: this.body };
    const { exchange, keys } = this.#queues.get(queue) ?? { exchange: '', keys: [queue] };
    return { exchange, keys, body: this.body };
  }
}

/**
 * A broker that costs nothing: confirms whatever it is sent, and hands every consumer one canned message for ever.
 * Nothing is stored and nothing is routed, so what is measured against it is the client alone.
 *
 * @param {{ port?: number, size?: number }} options
 * @returns {Promise<import('node:net').Server>}
 */
export function startNullBroker({ port = 0, size } = {}) {
  const world = new World(size ?? 281);
  const server = createServer((socket) => new NullConnection(socket, world));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
