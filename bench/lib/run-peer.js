import { latency } from './latency.js';
import { consume, endToEnd, publish } from './modes.js';
import { parseOptions } from './options.js';
import { declare, fill, setupOf, tearDown } from './setup.js';

/**
 * What is compared.
 *
 * @typedef {object} Peer
 * @property {string} name
 * @property {(setup: Setup, handle?: Handle) => Promise<Session>} open  consumes if it is given a handler
 * @property {(setup: Setup) => Promise<void>} [declare]  if it needs something else than a plain queue
 * @property {(setup: Setup, count: number) => Promise<void>} [fill]  if its messages are made in another way
 * @property {(setup: Setup) => Promise<void>} [tearDown]
 * @property {Partial<Record<string, (setup: Setup) => Promise<object>>>} [run]  modes that it does in its own way
 */

/** @typedef {import('./setup.js').Setup} Setup @typedef {(payload: import('./payload.js').Payload) => void} Handle */

/**
 * @typedef {(setup: Setup, handle: Handle) => Promise<{ publishPacked: (payloads: Iterable<object>, pack: number) => Promise<void>, close: () => Promise<unknown> }>} Open
 *
 * @typedef {object} Session
 * @property {(payload: import('./payload.js').Payload) => Promise<unknown>} publish  resolves with the broker's confirm
 * @property {() => Promise<unknown>} close
 */

/** @type {Record<string, (peer: Peer, setup: Setup) => Promise<object>>} */
const RUN = { publish, consume, e2e: endToEnd, fanout: endToEnd, latency };

/** The whole of a peer's command line: measures, and prints one line of JSON. @param {Peer} peer */
export async function runPeer(peer) {
  const options = parseOptions(process.argv.slice(2));
  const setup = setupOf(options);
  await (peer.declare ?? declare)(setup);
  try {
    if (options.mode === 'consume' && !options.canned)
      await (peer.fill ?? fill)(setup, options.warmup + options.n);
    const result = await run(peer, setup);
    process.stdout.write(`${JSON.stringify({ peer: peer.name, mode: options.mode, ...result })}\n`);
  } finally {
    await (peer.tearDown ?? tearDown)(setup);
  }
  // Some clients leave a timer or a socket behind.
  process.exit(0);
}

/** @param {Peer} peer @param {Setup} setup */
function run(peer, setup) {
  const own = peer.run?.[setup.mode];
  if (own) return own(setup);
  const common = RUN[setup.mode];
  if (!common) throw new Error(`${peer.name} has no mode ${setup.mode}`);
  return common(peer, setup);
}
