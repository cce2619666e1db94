import { Bus, rabbitmq } from 'hopline';
import { payloadOf } from '../lib/payload.js';
import { BODY_BYTES } from '../null-broker/message.js';
import { ownPrefix, printResult, specialArguments } from './arguments.js';

/**
 * `node --expose-gc bench/special/pressure.js --count 100000`: as many publishes in one turn of the event loop, none of
 * them awaited before the last one is made. What has no place in the window of unconfirmed publishes waits in memory.
 */

const WARM_UP = 20_000;
const payload = payloadOf(BODY_BYTES);

const { gc } = globalThis;
if (!gc) throw new Error('run it with node --expose-gc');

const { url, n, count } = specialArguments();
const bus = new Bus({ service: 'bench', prefix: ownPrefix(), transport: rabbitmq({ url }) });
await bus.start();

/** @param {number} amount */
async function publishAtOnce(amount) {
  const all = [];
  for (let id = 0; id < amount; id += 1) all.push(bus.publish('bench.event', { ...payload, id }));
  const waiting = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  await Promise.all(all);
  return waiting;
}

function kept() {
  gc?.();
  return process.memoryUsage().heapUsed;
}

await publishAtOnce(WARM_UP);
const before = kept();
const rounds = Math.max(1, Math.round(n / count));
const from = performance.now();
let waiting = 0;
for (let round = 0; round < rounds; round += 1) waiting = Math.max(waiting, await publishAtOnce(count));
const seconds = (performance.now() - from) / 1_000;
const after = kept();
await bus.stop();
printResult({
  special: 'pressure',
  count,
  perSecond: Math.round((rounds * count) / seconds),
  waitingBytes: Math.round((waiting - before) / count),
  beforeMb: before / 1024 / 1024,
  afterMb: after / 1024 / 1024,
  growth: after / before - 1,
});
process.exit(0);
