import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from 'amqplib';
import { Redis } from 'ioredis';
import { Bus, rabbitmq } from '../src/index.js';
import { PrivateNode } from '../test/support/broker/index.js';
import { percentile } from '../test/support/lateness.js';
import { provideRedis } from '../test/support/redis.js';
import { type Cost, Costs, costSince } from './concurrency/cost.js';
import {
  type Handled,
  handledIn,
  hottestMs,
  latency,
  meanLatency,
  overlapsIn,
  perSecond,
  wallMs,
  zipf,
} from './concurrency/figures.js';
import { now, type Run, type Told } from './concurrency/run.js';

/**
 * `npm run measure:concurrency -- --count 200000`: what `concurrency: { limit: 1, by }` costs, with keys as people's are, over several
 * processes. Each run is made with the limit and without it, by turns: first with all messages waiting, for the throughput, then at
 * a rate, for the time that a message takes. It fails if two of a key ever ran at once. Beside the throughput it says its bound: since
 * one of a key runs at a time, no limiter ends before the handler's time of the most frequent key is over. `--rate 0` leaves out the rate.
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
const costs = new Costs(redis.url, () => node?.pid);
let runs = 0;

interface Measured {
  readonly handled: readonly Handled[];
  /** Milliseconds of CPU for a message, of the workers, Redis and, if it is the measurement's own, the broker. */
  readonly cpuMs: number;
}

/** @param rate messages a second; undefined to have all of them wait before the workers begin */
async function measure(isLimited: boolean, rate: number | undefined): Promise<Measured> {
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
    const before = await costs.now();
    for (const worker of workers) worker.send('begin');
    if (rate !== undefined) await publishAt(publisher, rate);
    while (counts.reduce((sum, each) => sum + each, 0) < count) await pause(50);
    const cost = costSince(before, await costs.now());
    const reports = await Promise.all(workers.map(over));
    const handled = handledIn(reports.map((report) => report.handled));
    const workersMs = reports.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
    const released = reports.reduce((sum, each) => sum + each.released, 0);
    tell(`${isLimited ? 'limited' : 'plain'}${rate ? ` at ${rate}/s` : ''}`, handled, {
      ...cost,
      workers: workersMs,
      released,
    });
    if (isLimited && overlapsIn(handled) > 0)
      throw new Error(`${overlapsIn(handled)} messages ran beside one of their key`);
    return { handled, cpuMs: (workersMs + cost.redis + (cost.broker ?? 0)) / count };
  } finally {
    for (const worker of workers) worker.kill();
    await publisher.stop();
    await remove(run);
  }
}

function tell(
  name: string,
  handled: readonly Handled[],
  { workers, redis: ofRedis, broker, commands, released }: Cost & { workers: number; released: number },
): void {
  const cold = coldOf(handled);
  const each = (ms: number) => Math.round((ms / handled.length) * 1_000);
  const cpu = [`workers ${each(workers)}`, `Redis ${each(ofRedis)}`, broker && `broker ${each(broker)}`];
  console.log(
    `${name}: ${Math.round(perSecond(handled))}/s; µs of CPU a message: ${cpu.filter(Boolean).join(', ')}; ` +
      `${(commands / handled.length).toFixed(2)} commands to Redis, ${released} came back; ` +
      `the hottest key ran ${Math.round((hottestMs(handled) / wallMs(handled)) * 100)} % of the time; ` +
      `all ${latency(handled, 0.5).toFixed(1)} ms median, ${latency(handled, 0.99).toFixed(1)} p99; ` +
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

const median = (numbers: readonly number[]): number =>
  percentile(
    numbers.toSorted((left, right) => left - right),
    0.5,
  );

/** Of a round: one run without the limit, and one with it. */
async function pair(rate: number | undefined): Promise<[plain: Measured, limited: Measured]> {
  return [await measure(false, rate), await measure(true, rate)];
}

function compareThroughput(rounds: readonly [Measured, Measured][]): void {
  const ratios = rounds.map(([plain, limited]) => perSecond(limited.handled) / perSecond(plain.handled));
  const bounds = rounds.map(([plain]) => wallMs(plain.handled) / hottestMs(plain.handled));
  const cpu = rounds.map(([plain, limited]) => limited.cpuMs / plain.cpuMs);
  console.log(
    `throughput: ${median(ratios).toFixed(2)} of that without the limit (${ratios.map((each) => each.toFixed(2)).join(', ')}); ` +
      `bound by the hottest key, were its messages handled back to back: ${median(bounds).toFixed(2)}; CPU of all: ${median(cpu).toFixed(2)} x`,
  );
}

function compareCold(rate: number, rounds: readonly [Measured, Measured][]): void {
  const [plain = [], limited = []] = [0, 1].map((which) =>
    coldOf(rounds.flatMap((round) => afterStart((round[which] as Measured).handled))),
  );
  const means = rounds.map(
    ([first, second]) =>
      meanLatency(coldOf(afterStart(second.handled))) / meanLatency(coldOf(afterStart(first.handled))),
  );
  console.log(
    `coldest half at ${rate}/s: mean ${ratio(meanLatency(limited), meanLatency(plain))} (${means.map((each) => each.toFixed(2)).join(', ')}), median ${ratio(latency(limited, 0.5), latency(plain, 0.5))}, p95 ${ratio(latency(limited, 0.95), latency(plain, 0.95))}`,
  );
}

try {
  const rounds = Number(values.rounds);
  const waiting: [Measured, Measured][] = [];
  for (let round = 0; round < rounds; round += 1) waiting.push(await pair(undefined));
  compareThroughput(waiting);
  const rate = Number(
    values.rate ?? Math.round(Math.max(...waiting.map(([, limited]) => perSecond(limited.handled))) * 0.4),
  );
  const atRate: [Measured, Measured][] = [];
  for (let round = 0; round < rounds && rate > 0; round += 1) atRate.push(await pair(rate));
  if (atRate.length > 0) compareCold(rate, atRate);
} finally {
  costs.stop();
  await redis.stop();
  await node?.stop();
}
