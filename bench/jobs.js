import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { startReal, startRedis } from './lib/brokers.js';
import { cpuMsOf } from './lib/process-cpu.js';
import { median } from './lib/statistics.js';

/**
 * `node bench/jobs.js --count 10000 --runs 3`: so many jobs in flight at once, whose results their sender waits for: Hopline's
 * `send(…, { track: true })` and `job.result()` beside BullMQ's `add` and `job.waitUntilFinished()`, with a sender and a worker of a
 * process each, on the same Redis. All CPU counts, of both processes and of all servers. Prints a line of JSON for each run, and the
 * ratio of the medians.
 */

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '3' },
    concurrency: { type: 'string', default: '100' },
    peers: { type: 'string', default: 'hopline,bullmq' },
  },
});
const [count, runs, concurrency] = [Number(values.count), Number(values.runs), Number(values.concurrency)];

/** @param {string} file @param {object} setup */
async function start(file, setup) {
  const child = fork(new URL(file, import.meta.url), [JSON.stringify(setup)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  /** @param {string} what */
  const tell = async (what) => {
    child.send(what);
    const [answer] = await once(child, 'message');
    return answer;
  };
  const end = async () => {
    child.send('end');
    await once(child, 'exit');
  };
  return { pid: /** @type {number} */ (child.pid), tell, end };
}

/** @param {string} peer @param {{ redis: string, amqp: string }} urls @param {{ redis: number, rabbitmq?: number | undefined }} servers */
async function run(peer, urls, servers) {
  const setup = { ...urls, count, concurrency, prefix: `bench-${process.pid}-${Date.now().toString(36)}` };
  const worker = await start(`./jobs/${peer}.js`, { ...setup, role: 'worker' });
  const sender = await start(`./jobs/${peer}.js`, { ...setup, role: 'sender' });
  await sender.tell('warm up');
  const pids = { sender: sender.pid, worker: worker.pid, ...servers };
  const before = cpuOf(pids);
  const from = performance.now();
  await sender.tell('run');
  const seconds = (performance.now() - from) / 1_000;
  const after = cpuOf(pids);
  await sender.end();
  await worker.end();
  /** @param {(cpu: ReturnType<typeof cpuOf>) => number} of */
  const µs = (of) => Math.round(((of(after) - of(before)) * 1_000) / count);
  const total = µs(({ all }) => all);
  const parts = {
    sender: µs((cpu) => cpu.sender),
    worker: µs((cpu) => cpu.worker),
    redis: µs((cpu) => cpu.redis),
    rabbitmq: µs((cpu) => cpu.rabbitmq),
  };
  process.stdout.write(
    `${JSON.stringify({ peer, count, perSecond: Math.round(count / seconds), cpuµs: total, ...parts })}\n`,
  );
  return total;
}

/** @param {{ sender: number, worker: number, redis: number, rabbitmq?: number | undefined }} pids */
function cpuOf(pids) {
  const [sender, worker] = [cpuMsOf(pids.sender), cpuMsOf(pids.worker)];
  const [redis, rabbitmq] = [cpuMsOf(pids.redis), pids.rabbitmq ? cpuMsOf(pids.rabbitmq) : 0];
  return { sender, worker, redis, rabbitmq, all: sender + worker + redis + rabbitmq };
}

const redis = await startRedis();
if (!redis?.pid) throw new Error('redis-server is not installed');
const broker = await startReal();
/** @type {Record<string, number[]>} */
const totals = Object.fromEntries(values.peers.split(',').map((peer) => [peer, []]));
try {
  for (let each = 0; each < runs; each += 1)
    for (const [peer, list] of Object.entries(totals)) {
      const servers = { redis: redis.pid, rabbitmq: peer === 'hopline' ? broker.pid : undefined };
      list.push(await run(peer, { redis: redis.url, amqp: broker.url }, servers));
    }
  const [own, other] = [median(totals.hopline ?? []), median(totals.bullmq ?? [])];
  process.stdout.write(
    `${JSON.stringify({ hopline: own, bullmq: other, ratio: Number((own / other).toFixed(2)) })}\n`,
  );
} finally {
  await broker.stop();
  await redis.stop();
}
