import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { connect } from 'amqplib';
import { Bus, rabbitmq } from '../src/index.js';
import { silentLogger } from '../src/util/logger.js';
import { MAIN } from '../test/cli/command.js';
import { removeFromBroker } from '../test/examples/remove-from-broker.js';
import { PrivateNode } from '../test/support/broker/index.js';
import { eventually } from '../test/support/eventually.js';

/**
 * `npm run measure:dead-letters [count]`: what the commands on dead letters take, with 40,000 of 2 kB in one queue. On a RabbitMQ of its
 * own, or on that of AMQP_URL. `HOPLINE_MAIN` is the file of another build's command. Takes about two minutes.
 */

const COUNT = Number(process.argv[2] ?? 40_000);
const BODY = 'x'.repeat(2_000);
const main = process.env.HOPLINE_MAIN ?? MAIN;

const node = process.env.AMQP_URL ? undefined : await PrivateNode.start({ name: 'dead-letters' });
const url = process.env.AMQP_URL ?? node?.url ?? '';
const name = `dead-${randomUUID().slice(0, 8)}`;
const queue = `${name}.jobs`;

interface Ran {
  readonly code: number | null;
  readonly out: string;
}

/** Runs the command, and prints its time, its CPU, and the most memory that it had. */
async function hopline(...words: string[]): Promise<Ran> {
  const args = ['failed', ...words, '--queue', queue, '--prefix', name];
  const from = performance.now();
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, AMQP_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let rss = 0;
  let cpu = 0;
  const looking = setInterval(() => {
    const { rssMiB, cpuMs } = figuresOf(child.pid ?? 0);
    rss = Math.max(rss, rssMiB);
    cpu = Math.max(cpu, cpuMs);
  }, 20);
  const out = readAll(child.stdout);
  const told = text(child.stderr);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(looking);
  const seconds = (performance.now() - from) / 1_000;
  const figures = `${seconds.toFixed(2)} s, CPU ${(cpu / 1_000).toFixed(1)} s, ${Math.round(rss)} MiB`;
  console.log(
    `failed ${words.join(' ')}: ${figures}${code === 0 ? '' : `; ended with ${code}: ${await told}`}`,
  );
  return { code, out: await out };
}

/** The first bytes are kept: an export is long. */
async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  let kept = '';
  for await (const chunk of stream) if (kept.length < 1_000) kept += chunk.toString();
  return kept;
}

/** User and system time, and the high-water mark of resident memory, as Linux counts them. */
function figuresOf(pid: number): { readonly rssMiB: number; readonly cpuMs: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const kB = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
    return { rssMiB: kB / 1_024, cpuMs: (Number(stat[11]) + Number(stat[12])) * 10 };
  } catch {
    return { rssMiB: 0, cpuMs: 0 };
  }
}

let fails = true;
let handled = 0;
const service = () =>
  new Bus({ service: name, prefix: name, transport: rabbitmq({ url }), log: silentLogger }).handle(
    'job',
    (_payload, context) => {
      if (fails) context.fail('the server says no');
      else handled += 1;
    },
    { queue: { name: queue, concurrency: 100 }, retry: { tries: 1 } },
  );
const bus = service();
try {
  await bus.start();
  const from = performance.now();
  for (let sent = 0; sent < COUNT; sent += 500)
    await Promise.all(
      Array.from({ length: Math.min(500, COUNT - sent) }, (_none, index) =>
        bus.publish('job', { number: sent + index, text: BODY }),
      ),
    );
  await eventually(async () => assertCount(await deadCount(), COUNT), { timeout: 120_000 });
  console.log(
    `${COUNT} published, failed and dead-lettered: ${((performance.now() - from) / 1_000).toFixed(1)} s`,
  );
  await hopline('--limit', '20');
  await hopline('--by', 'reason');
  await hopline('--json');
  await hopline('export');
  await bus.stop();
  const { out } = await hopline('retry', '--all', '--yes');
  console.log(out.trim());
  fails = false;
  const again = service();
  await again.start();
  await eventually(() => assertCount(handled, COUNT), { timeout: 60_000 });
  await again.stop();
  console.log(`${handled} handled after it`);
} finally {
  await bus.stop().catch(() => {});
  await removeFromBroker(url, { queues: [queue], prefix: name }).catch(() => {});
  await node?.stop();
}

async function deadCount(): Promise<number> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    return (await channel.checkQueue(`${queue}.dead`)).messageCount;
  } finally {
    await connection.close();
  }
}

function assertCount(got: number, wanted: number): void {
  if (got !== wanted) throw new Error(`${got} instead of ${wanted}`);
}
