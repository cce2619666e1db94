import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Table from 'cli-table3';
import { Names } from '../src/topology/names.js';
import { DashboardProcess } from '../test/browser/support/dashboard.js';
import { everyPage } from '../test/browser/support/every-page.js';
import { type ManagedNode, managedNode } from '../test/cli/managed-node.js';
import { root } from '../test/project/repository.js';
import { eventually } from '../test/support/eventually.js';
import { makeLetters } from './dashboard/letters.js';
import { cpuMsOf, memoryOf } from './dashboard/process.js';
import { Follower, read, timesOf } from './dashboard/requests.js';

/*
 * `npm run measure:dashboard`: on a RabbitMQ of its own, the dashboard of 50 handlers that get 1,000 messages a second, with 40,000 dead
 * letters of 7 kB that failed in 60 ways. Takes some five minutes. CPU time and memory are read from /proc, so Linux only.
 */

const PREFIX = 'busy';
const HANDLERS = 50;
const RATE = 1_000;
const LETTERS = { count: 40_000, kinds: 60, bodyBytes: 7_000 };
const REQUESTS = 200;

/** Of each half of what a poll costs the broker. */
const QUIET_MS = 30_000;

const QUEUES = Array.from(
  { length: HANDLERS },
  (_none, place) => `${PREFIX}.work-${String(place + 1).padStart(2, '0')}`,
);

/** The workers, in a process of their own, once they consume. */
async function startWorkers(url: string, rate: number): Promise<ChildProcess> {
  const program = join(root, 'dist/test/browser/apps/busy.js');
  const env = { ...process.env, AMQP_URL: url };
  const child = spawn(process.execPath, [program, PREFIX, String(rate)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'close');
}

/** Share of a core that the broker needs for the looks at it, beside what it needs for workers that have nothing to do. */
async function costOfLooking({ node, managementUrl }: ManagedNode): Promise<void> {
  const workers = await startWorkers(node.url, 0);
  const share = async () => {
    const before = cpuMsOf(node.pid as number);
    await pause(QUIET_MS);
    return (cpuMsOf(node.pid as number) - before) / QUIET_MS;
  };
  const alone = await share();
  const dashboard = await DashboardProcess.start({
    url: node.url,
    prefix: PREFIX,
    management: managementUrl,
  });
  const unwatched = await share();
  const follower = await Follower.of(`${dashboard.address}/live?page=/`);
  const watched = await share();
  await follower.leave();
  await dashboard.stop();
  await end(workers);
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  console.log(
    `broker's CPU, of a core: ${percent(alone)} with ${HANDLERS} idle handlers; the dashboard adds ` +
      `${percent(unwatched - alone)} while nobody looks, ${percent(watched - alone)} while somebody does ` +
      `(${follower.events} updates in ${QUIET_MS / 1_000} s)`,
  );
}

/** From the start of the dashboard until its page of failures has them all. */
async function firstIndex(dashboard: DashboardProcess): Promise<number> {
  const began = performance.now();
  const all = LETTERS.count.toLocaleString('en-GB');
  await eventually(
    async () => {
      const page = await read(`${dashboard.address}/failures`);
      return page.includes(all) && !page.includes('aria-busy="true"');
    },
    { timeout: 120_000, interval: 200 },
  );
  return performance.now() - began;
}

async function pagesOf(dashboard: DashboardProcess): Promise<void> {
  const table = new Table({ head: ['page', 'median ms', 'p99 ms', 'kB'], style: { head: [], border: [] } });
  for (const { name, path } of await everyPage(dashboard.address, read)) {
    const { median, p99, bytes } = await timesOf(dashboard.address + path, REQUESTS);
    table.push([name, median.toFixed(1), p99.toFixed(1), (bytes / 1_000).toFixed(0)]);
  }
  console.log(table.toString());
}

async function underLoad({ node, managementUrl }: ManagedNode): Promise<void> {
  const workers = await startWorkers(node.url, RATE);
  await makeLetters({ ...LETTERS, url: node.url, queues: QUEUES, exchange: new Names(PREFIX).events });
  const dashboard = await DashboardProcess.start({
    url: node.url,
    prefix: PREFIX,
    management: managementUrl,
  });
  const follower = await Follower.of(`${dashboard.address}/live?page=/`);
  console.log(
    `first index of ${LETTERS.count} letters: ${((await firstIndex(dashboard)) / 1_000).toFixed(1)} s`,
  );
  await pagesOf(dashboard);
  const { now, most } = memoryOf(dashboard.pid);
  console.log(`the dashboard's memory: ${now.toFixed(0)} MB, ${most.toFixed(0)} MB at most`);
  await follower.leave();
  await dashboard.stop();
  await end(workers);
}

const managed = await managedNode();
try {
  await costOfLooking(managed);
  await underLoad(managed);
} finally {
  await managed.node.stop();
}
