import { Bus, rabbitmq } from 'hopline';
import { startNull } from '../lib/brokers.js';
import { median } from '../lib/statistics.js';
import { printResult, specialArguments } from './arguments.js';

/**
 * `node bench/special/exchanges.js --n 20000`: what a send costs to a topic exchange, a direct one and, past all exchanges, a queue. The
 * broker is the null broker, so that it is the client's CPU alone; the three take turns in one process, and each round is a pair with the
 * topic exchange's.
 */

const ROUNDS = 15;
const WINDOW = 1_000;

const { n } = specialArguments();

const broker = await startNull();
const { url } = broker;

const payload = { id: 1, name: 'Ada Lovelace', email: 'ada@example.com', text: 'x'.repeat(200) };

/** @param {'topic' | 'direct'} type */
async function busOf(type) {
  const bus = new Bus({
    service: 'bench',
    transport: rabbitmq({ url }),
    exchange: { name: `bench.${type}`, type },
    topology: 'none',
    operatorControl: false,
  });
  await bus.start();
  return bus;
}

const topic = await busOf('topic');
const direct = await busOf('direct');

/** @type {Record<string, () => Promise<unknown>>} */
const ways = {
  topic: () => topic.send('bench.queue', payload),
  direct: () => direct.send('bench.queue', payload),
  queue: () => topic.sendToQueue('bench.queue', payload),
};

/** @param {() => Promise<unknown>} send @returns {Promise<number>} µs of CPU a message */
async function costOf(send) {
  const before = process.cpuUsage();
  for (let sent = 0; sent < n; sent += WINDOW) await Promise.all(Array.from({ length: WINDOW }, send));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / n;
}

/** @type {Record<string, number[]>} */
const costs = { topic: [], direct: [], queue: [] };
for (const send of Object.values(ways)) await costOf(send);
for (let round = 0; round < ROUNDS; round += 1) {
  // Each way is the first in a third of the rounds.
  const names = Object.keys(ways);
  const order = [...names.slice(round % 3), ...names.slice(0, round % 3)];
  for (const name of order)
    costs[name]?.push(await costOf(/** @type {() => Promise<unknown>} */ (ways[name])));
}
const ratios = (/** @type {string} */ name) =>
  (costs[name] ?? []).map((us, round) => us / (costs.topic?.[round] ?? 1));
printResult({
  special: 'exchanges',
  n,
  rounds: ROUNDS,
  topicUs: median(costs.topic ?? []),
  directUs: median(costs.direct ?? []),
  queueUs: median(costs.queue ?? []),
  directRatio: median(ratios('direct')),
  queueRatio: median(ratios('queue')),
});
await topic.stop();
await direct.stop();
await broker.stop();
