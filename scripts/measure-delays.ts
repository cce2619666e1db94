import { readFileSync } from 'node:fs';
import { Bus, rabbitmq } from '../src/index.js';
import { PrivateNode } from '../test/support/broker/index.js';
import { eventually } from '../test/support/eventually.js';
import { measureLateness, percentile } from '../test/support/lateness.js';

/**
 * `npm run measure:delays`: on a RabbitMQ of its own, how late delayed messages are, and what a hop through a delay
 * level costs the broker. Takes about a minute. The broker's CPU time is read from /proc, so Linux only.
 */

const LATENESS = { messages: 2_000, longestMs: 20_000 };

/** Messages of one measurement of the cost. */
const COUNT = 5_000;

/** From no hop to four: what each of these delays is made of. */
const DELAYS = [
  { delay: 0, hops: 'none' },
  { delay: 1_000, hops: '1 (1 s)' },
  { delay: 1_100, hops: '2 (1 s, 100 ms)' },
  { delay: 1_300, hops: '3 (1 s, 200, 100 ms)' },
  { delay: 1_700, hops: '4 (1 s, 400, 200, 100 ms)' },
] as const;

/** Linux counts CPU time in hundredths of a second, on every architecture that Node runs on. */
const TICK_MS = 10;

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

async function costOf(node: PrivateNode, delay: number): Promise<number> {
  let handled = 0;
  const name = `cost-${delay}`;
  const bus = new Bus({
    service: name,
    prefix: name,
    transport: rabbitmq({ url: node.url }),
    concurrency: 100,
  });
  bus.handle('k', () => {
    handled += 1;
  });
  await bus.start();
  const before = cpuMs(node.pid as number);
  const payload = { text: 'x'.repeat(250) };
  await Promise.all(
    Array.from({ length: COUNT }, () => bus.publish('k', payload, delay === 0 ? {} : { delay })),
  );
  await eventually(() => handled >= COUNT, { timeout: 120_000 });
  const spent = cpuMs(node.pid as number) - before;
  await bus.stop();
  return spent / COUNT;
}

async function lateness(node: PrivateNode): Promise<void> {
  const options = {
    ...LATENESS,
    transport: rabbitmq({ url: node.url }),
    prefix: 'late',
    random: Math.random,
  };
  const { late } = await measureLateness(options, async (arrived) => {
    await eventually(() => arrived() >= LATENESS.messages, { timeout: 60_000 });
  });
  const figures = [0, 0.5, 0.99, 1].map((share) => `${Math.round(percentile(late, share))} ms`);
  console.log(`${LATENESS.messages} messages, random delays of 0.1 to ${LATENESS.longestMs / 1_000} s:`);
  console.log(`late by ${figures[0]} at least, ${figures[1]} p50, ${figures[2]} p99, ${figures[3]} at most`);
}

const node = await PrivateNode.start({ name: 'measure' });
try {
  await lateness(node);
  console.log(`\nbroker CPU a message (250 bytes, one producer, one consumer, ${COUNT} messages):`);
  let last: number | undefined;
  for (const { delay, hops } of DELAYS) {
    const cost = await costOf(node, delay);
    const more = last === undefined ? '' : `, ${(cost - last).toFixed(2)} ms more than the line above`;
    console.log(`${hops.padEnd(26)} ${cost.toFixed(2)} ms${more}`);
    last = cost;
  }
} finally {
  await node.stop();
}
