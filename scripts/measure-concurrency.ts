import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from 'amqplib';
import { Redis } from 'ioredis';
import { Bus, rabbitmq } from '../src/index.js';
import { PrivateNode } from '../test/support/broker/index.js';
import { provideRedis } from '../test/support/redis.js';
import {
  type Handled,
  handledIn,
  latency,
  meanLatency,
  overlapsIn,
  perSecond,
  zipf,
} from './concurrency/figures.js';
import { now, type Run, type Told } from './concurrency/run.js';

/**
 * `npm run measure:concurrency -- --count 200000`: what `concurrency: { limit: 1, by }` costs, with keys as people's are, over several
 * processes. Each run is made with the limit and without it, by turns: first with all messages waiting, for the throughput, then at
 * a rate, for the time that a message takes. It fails if two of a key ever ran at once.
 */

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '50000' },
    keys: { type: 'string', default: '20000' },
    processes: { type: 'string', default: '4' },
    slots: { type: 'string', default: '25' },
    prefetch: { type: 'string', default: '50' },
    work: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '2' },
    rate: { type: 'string' },
  },
});
const count = Number(values.count);
const keys = Number(values.keys);
const WORKER = resolve(import.meta.dirname, 'concurrency/worker.js');

const node = process.env.AMQP_URL ? undefined : await PrivateNode.start({ name: 'measure' });
const url = process.env.AMQP_URL ?? (node as PrivateNode).url;
const redis = await provideRedis();
let runs = 0;

/** @param rate messages a second; undefined to have all of them wait before the workers begin */
async function measure(isLimited: boolean, rate: number | undefined): Promise<Handled[]> {
  runs += 1;
  const run: Run = {
    ...{ url, redisUrl: redis.url, name: `measure-${process.pid}-${runs}`, isLimited, most: count },
    slots: Number(values.slots),
    prefetch: Number(values.prefetch),
    workMs: Number(values.work),
  };
  const workers = Array.from({ length: Number(values.processes) }, () =>
    fork(WORKER, [JSON.stringify(run)], { serialization: 'advanced' }),
  );
  const publisher = new Bus({
    service: `${run.name}-publisher`,
    prefix: run.name,
    transport: rabbitmq({ url }),
  });
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const counts = workers.map(() => 0);
    for (const [index, worker] of workers.entries())
      worker.on('message', (told: Told) => {
        if (told.kind === 'handled') counts[index] = told.count;
      });
    await declare(run);
    await publisher.start();
    if (rate === undefined) await publishAll(publisher);
    for (const worker of workers) worker.send('begin');
    if (rate !== undefined) await publishAt(publisher, rate);
    while (counts.reduce((sum, each) => sum + each, 0) < count) await pause(50);
    const reports = await Promise.all(workers.map(over));
    const handled = handledIn(reports.map((report) => report.handled));
    const cpu = reports.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
    const released = reports.reduce((sum, each) => sum + each.released, 0);
    tell(`${isLimited ? 'limited' : 'plain'}${rate ? ` at ${rate}/s` : ''}`, handled, { cpu, released });
    if (isLimited && overlapsIn(handled) > 0)
      throw new Error(`${overlapsIn(handled)} messages ran beside one of their key`);
    return handled;
  } finally {
    for (const worker of workers) worker.kill();
    await publisher.stop();
    await remove(run);
  }
}

function tell(
  name: string,
  handled: readonly Handled[],
  { cpu, released }: { cpu: number; released: number },
): void {
  const cold = coldOf(handled);
  console.log(
    `${name}: ${Math.round(perSecond(handled))}/s, ${Math.round((cpu / handled.length) * 1_000)} µs of the workers' CPU a message, ` +
      `${released} came back; all ${latency(handled, 0.5).toFixed(1)} ms median, ${latency(handled, 0.99).toFixed(1)} p99; ` +
      `coldest half ${meanLatency(cold).toFixed(1)} mean, ${latency(cold, 0.5).toFixed(1)} median, ${latency(cold, 0.95).toFixed(1)} p95`,
  );
}

/** Without the first two seconds, in which the processes begin to consume. */
const afterStart = (handled: readonly Handled[]): Handled[] => {
  const first = handled[0]?.at ?? 0;
  return handled.filter(({ at }) => at > first + 2_000);
};

const coldOf = (handled: readonly Handled[]): Handled[] => handled.filter(({ key }) => key >= keys / 2);

/** The workers' queue, before they are there. */
async function declare({ name }: Run): Promise<void> {
  const declaring = new Bus({
    service: name,
    prefix: name,
    transport: rabbitmq({ url }),
    operatorControl: false,
  });
  declaring.handle('work', () => {}, { queue: { name: `${name}.work` } });
  await declaring.start();
  await declaring.stop();
}

async function publishAll(publisher: Bus): Promise<void> {
  const next = zipf(keys);
  function* payloads() {
    for (let number = 0; number < count; number += 1) yield { key: next(), at: now() };
  }
  await publisher.publishMany('work', payloads());
}

/** In steps of 20 ms, so that a slow machine does not publish all at once. */
async function publishAt(publisher: Bus, rate: number): Promise<void> {
  const next = zipf(keys);
  const from = now();
  let published = 0;
  while (published < count) {
    const due = Math.min(count, Math.ceil(((now() - from) * rate) / 1_000));
    const step: Promise<unknown>[] = [];
    for (; published < due; published += 1) step.push(publisher.publish('work', { key: next(), at: now() }));
    await Promise.all(step);
    await pause(5);
  }
}

function over(worker: ChildProcess): Promise<Told & { kind: 'over' }> {
  return new Promise((resolvePromise) => {
    worker.on('message', (told: Told) => {
      if (told.kind === 'over') resolvePromise(told);
    });
    worker.send('end');
  });
}

async function remove({ name }: Run): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  for (const queue of [`${name}.work`, `${name}.work.dead`]) await channel.deleteQueue(queue);
  for (const exchange of [`${name}.events`, `${name}.dead`, `${name}.control`])
    await channel.deleteExchange(exchange);
  await connection.close();
  const client = new Redis(redis.url);
  for await (const found of client.scanStream({ match: `${name}:*`, count: 1_000 }))
    if (found.length > 0) await client.unlink(...found);
  client.disconnect();
}

const ratio = (limited: number, plain: number): string => (limited / plain).toFixed(2);

try {
  const all: { plain: Handled[][]; limited: Handled[][] } = { plain: [], limited: [] };
  const rounds = Number(values.rounds);
  for (let round = 0; round < rounds; round += 1) {
    all.plain.push(await measure(false, undefined));
    all.limited.push(await measure(true, undefined));
  }
  const best = (runsOf: Handled[][]) => Math.max(...runsOf.map(perSecond));
  console.log(`throughput: ${ratio(best(all.limited), best(all.plain))} of that without the limit`);
  const rate = Number(values.rate ?? Math.round(best(all.limited) * 0.4));
  const plain: Handled[] = [];
  const limited: Handled[] = [];
  for (let round = 0; round < rounds; round += 1) {
    plain.push(...afterStart(await measure(false, rate)));
    limited.push(...afterStart(await measure(true, rate)));
  }
  const [cold, coldLimited] = [coldOf(plain), coldOf(limited)];
  console.log(
    `coldest half at ${rate}/s: mean ${ratio(meanLatency(coldLimited), meanLatency(cold))}, median ${ratio(latency(coldLimited, 0.5), latency(cold, 0.5))}, p95 ${ratio(latency(coldLimited, 0.95), latency(cold, 0.95))}`,
  );
} finally {
  await redis.stop();
  await node?.stop();
}
