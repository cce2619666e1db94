import { setTimeout as pause } from 'node:timers/promises';
import { Meter, round } from './meter.js';
import { payloadOf } from './payload.js';
import { percentile } from './statistics.js';

/**
 * How long a message takes from `publish` to its handler, at a fixed rate far below what the broker can take.
 *
 * @param {import('./run-peer.js').Peer} peer @param {import('./setup.js').Setup} setup
 */
export async function latency(peer, setup) {
  const { n, warmup, size, rate } = setup;
  /** @type {number[]} */
  let took = [];
  const session = await peer.open(setup, (payload) => took.push(performance.now() - payload.at));
  const round_ = async (/** @type {number} */ count) => {
    took = [];
    await publishAtRate(session.publish, { count, size, rate });
    while (took.length < count) await pause(5);
  };
  const meter = new Meter(setup.brokerPid);
  await round_(Math.min(warmup, rate));
  meter.start();
  await round_(n);
  const result = meter.stop(n);
  await session.close();
  return { ...result, p50Ms: round(percentile(took, 0.5), 2), p99Ms: round(percentile(took, 0.99), 2) };
}

/**
 * By the clock and not by the last one's end, so that a slow message delays none.
 *
 * @param {(payload: import('./payload.js').Payload) => Promise<unknown>} publish
 * @param {{ count: number, size: number, rate: number }} amount
 */
async function publishAtRate(publish, { count, size, rate }) {
  const startedAt = performance.now();
  const confirms = [];
  for (let sent = 0; sent < count; sent += 1) {
    const dueIn = startedAt + (sent * 1_000) / rate - performance.now();
    if (dueIn > 0) await pause(dueIn);
    confirms.push(publish({ ...payloadOf(size), at: performance.now() }));
  }
  await Promise.all(confirms);
}
