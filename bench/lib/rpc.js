import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Meter, round } from './meter.js';
import { parseOptions } from './options.js';
import { payloadOf } from './payload.js';
import { setupOf, tearDown } from './setup.js';
import { percentile } from './statistics.js';

/**
 * Requests and replies between two processes: this one asks, and the same program, started by it as its responder, answers.
 *
 * @typedef {import('./setup.js').Setup} Setup @typedef {import('./payload.js').Payload} Payload
 *
 * @typedef {object} RpcPeer
 * @property {string} name
 * @property {(setup: Setup, answer: (payload: Payload) => object) => Promise<() => Promise<unknown>>} respond
 *   resolves with what closes it, once requests are answered
 * @property {(setup: Setup) => Promise<Requester>} open
 *
 * @typedef {{ ask: (payload: Payload) => Promise<any>, close: () => Promise<unknown> }} Requester
 */

/** More than any request of a run may take, for every peer. */
export const REQUEST_TIMEOUT_MS = 30_000;

/** All of them declare the queue alike: classic, durable, and gone with its last consumer. */
export const RPC_QUEUE = { durable: true, autoDelete: true };

/** What the responder prepends to its arguments; the prefix of the names follows. */
const RESPONDER = '--responder';

/** The whole of a peer's command line: measures, and prints one line of JSON. @param {RpcPeer} peer */
export async function runRpc(peer) {
  const [first, prefix, ...rest] = process.argv.slice(2);
  if (first === RESPONDER) return beResponder(peer, setupOf(parseOptions(rest), prefix));
  const args = process.argv.slice(2);
  const setup = setupOf(parseOptions(args));
  const responder = await startResponder([RESPONDER, setup.prefix, ...args]);
  try {
    const requester = await peer.open(setup);
    const result = await (setup.mode === 'rpc' ? underLoad : atRate)(setup, requester, responder);
    process.stdout.write(`${JSON.stringify({ peer: peer.name, mode: setup.mode, ...result })}\n`);
    await requester.close();
  } finally {
    await responder.end();
    await tearDown(setup);
  }
  process.exit(0);
}

/** As many at once as the window allows, all the time. @param {Setup} setup @param {Requester} requester @param {Responder} responder */
async function underLoad({ n, warmup, size, window, brokerPid }, requester, responder) {
  const payload = payloadOf(size);
  const stretch = (/** @type {number} */ count) => {
    /** @type {number[]} */
    const took = [];
    let sent = 0;
    const lane = async () => {
      while (sent < count) {
        const id = sent++ % 1_000_000;
        took.push(await asked(requester, { ...payload, id }));
      }
    };
    return Promise.all(Array.from({ length: Math.min(window, count) }, lane)).then(() => took);
  };
  return measured(stretch, { n, warmup, brokerPid, responder });
}

/** By the clock and not by the last one's end, so that a slow request delays none. @param {Setup} setup @param {Requester} requester @param {Responder} responder */
async function atRate({ n, warmup, size, rate, brokerPid }, requester, responder) {
  const payload = payloadOf(size);
  const stretch = async (/** @type {number} */ count) => {
    const startedAt = performance.now();
    const all = [];
    for (let sent = 0; sent < count; sent += 1) {
      const dueIn = startedAt + (sent * 1_000) / rate - performance.now();
      if (dueIn > 0) await pause(dueIn);
      all.push(asked(requester, { ...payload, id: sent }));
    }
    return Promise.all(all);
  };
  return measured(stretch, { n, warmup, brokerPid, responder });
}

/** @param {Requester} requester @param {Payload} payload @returns {Promise<number>} ms until the reply */
async function asked(requester, payload) {
  const from = performance.now();
  const reply = await requester.ask(payload);
  if (reply.id !== payload.id) throw new Error(`error: the reply to ${payload.id} is that to ${reply.id}`);
  return performance.now() - from;
}

/**
 * @param {(count: number) => Promise<number[]>} stretch
 * @param {{ n: number, warmup: number, brokerPid: number | undefined, responder: Responder }} run
 */
async function measured(stretch, { n, warmup, brokerPid, responder }) {
  await stretch(warmup);
  const meter = new Meter(brokerPid);
  await responder.start();
  meter.start();
  const took = await stretch(n);
  const own = meter.stop(n);
  const other = await responder.stop(n);
  return {
    ...own,
    cpuPerMessageUs: round(own.cpuPerMessageUs + other.cpuPerMessageUs, 2),
    requesterCpuUs: own.cpuPerMessageUs,
    responderCpuUs: other.cpuPerMessageUs,
    maxRssMb: own.maxRssMb + other.maxRssMb,
    p50Ms: round(percentile(took, 0.5), 2),
    p99Ms: round(percentile(took, 0.99), 2),
  };
}

/** @typedef {Awaited<ReturnType<typeof startResponder>>} Responder */

/** @param {string[]} args */
async function startResponder(args) {
  const child = fork(process.argv[1], args, { execArgv: [] });
  const answered = async (/** @type {object} */ message) => {
    child.send(message);
    const [answer] = await once(child, 'message');
    return answer;
  };
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`error: the responder has ended with ${code}`);
  });
  ended.catch(() => {});
  await Promise.race([once(child, 'message'), ended]);
  return {
    start: () => answered({ start: true }),
    stop: (/** @type {number} */ n) => answered({ stop: n }),
    end: async () => {
      if (child.connected) child.send({ end: true });
      await ended.catch(() => {});
    },
  };
}

/** @param {RpcPeer} peer @param {Setup} setup */
async function beResponder(peer, setup) {
  const meter = new Meter();
  const close = await peer.respond(setup, (payload) => payload);
  process.on('message', async (/** @type {any} */ { start, stop, end }) => {
    if (start) {
      meter.start();
      process.send?.({ started: true });
    }
    if (stop) process.send?.(meter.stop(stop));
    if (end) {
      await close();
      process.exit(0);
    }
  });
  // Without whom it answers it has nothing to do here.
  process.on('disconnect', () => process.exit(1));
  process.send?.({ ready: true });
}
