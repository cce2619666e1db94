import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Table from 'cli-table3';
import { Names } from '../src/topology/names.js';
import { DashboardProcess } from '../test/browser/support/dashboard.js';
import { pagesLinkedFrom } from '../test/browser/support/every-page.js';
import { type ManagedNode, managedNode } from '../test/cli/managed-node.js';
import { root } from '../test/project/repository.js';
import { eventually } from '../test/support/eventually.js';
import { makeLetters } from './dashboard/letters.js';
import { cpuMsOf, memoryOf } from './dashboard/process.js';
import { Follower, read, timesOf } from './dashboard/requests.js';

/*
 * `npm run measure:dashboard`: on a RabbitMQ of its own, the dashboard of 50 handlers that get 1,000 messages a second, with 40,000 dead
 * letters of 7 kB that failed in 60 ways. Takes some five minutes, and fails where the dashboard takes more memory than it may. CPU time
 * and memory are read from /proc, so Linux only.
 */

const PREFIX = 'busy';
const HANDLERS = 50;
const RATE = 1_000;
const LETTERS = { count: 40_000, kinds: 60, bodyBytes: 7_000 };
const REQUESTS = 200;

/** What the dashboard's process may hold at most: above it the measurement has failed. */
const MOST_MB = 250;

/** Of each half of what a poll costs the broker. */
const QUIET_MS = 30_000;

const QUEUES = Array.from(
  { length: HANDLERS },
  (_none, place) => `${PREFIX}.work-${String(place + 1).padStart(2, '0')}`,
);

/** Workers run in a process of their own meanwhile, which consume when it begins. */
async function besideWorkers(url: string, rate: number, run: () => Promise<void>): Promise<void> {
  const program = join(root, 'dist/test/browser/apps/busy.js');
  const env = { ...process.env, AMQP_URL: url };
  const child = spawn(process.execPath, [program, PREFIX, String(rate)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    await run();
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'close');
  }
}

/** A dashboard is there meanwhile. */
async function withDashboard(
  { node, managementUrl }: ManagedNode,
  run: (dashboard: DashboardProcess) => Promise<void>,
): Promise<void> {
  const dashboard = await DashboardProcess.start({
    url: node.url,
    prefix: PREFIX,
    management: managementUrl,
  });
  try {
    await run(dashboard);
  } finally {
    await dashboard.stop();
  }
}

const followed = (dashboard: DashboardProcess) => Follower.of(`${dashboard.address}/live?page=/`);

/** Share of a core that the broker needs for the looks at it, beside what it needs for workers that have nothing to do. */
async function costOfLooking(managed: ManagedNode): Promise<void> {
  const share = async () => {
    const before = cpuMsOf(managed.node.pid as number);
    await pause(QUIET_MS);
    return (cpuMsOf(managed.node.pid as number) - before) / QUIET_MS;
  };
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  const alone = await share();
  await withDashboard(managed, async (dashboard) => {
    const unwatched = await share();
    const follower = await followed(dashboard);
    const watched = await share();
    await follower.leave();
    console.log(
      `broker's CPU, of a core: ${percent(alone)} with ${HANDLERS} idle handlers; the dashboard adds ` +
        `${percent(unwatched - alone)} while nobody looks, ${percent(watched - alone)} while somebody does ` +
        `(${follower.events} updates in ${QUIET_MS / 1_000} s)`,
    );
  });
}

/** From the start of the dashboard until its page of failures has them all. */
async function firstIndex(dashboard: DashboardProcess): Promise<number> {
  const began = performance.now();
  const all = LETTERS.count.toLocaleString('en-GB');
  await eventually(
    async () => {
      const page = await read(`${dashboard.address}/failures`);
      // Spaces are of the kind that breaks no line.
      const text = page.replaceAll(/<[^>]*>/g, '').replaceAll(/\s/g, ' ');
      return text.includes(`${all} dead letters in ${LETTERS.kinds} groups`);
    },
    { timeout: 120_000, interval: 200 },
  );
  return performance.now() - began;
}

async function pagesOf(dashboard: DashboardProcess): Promise<void> {
  const table = new Table({ head: ['page', 'median ms', 'p99 ms', 'kB'], style: { head: [], border: [] } });
  for (const { name, path } of await pagesLinkedFrom(dashboard.address, read)) {
    const { median, p99, bytes } = await timesOf(dashboard.address + path, REQUESTS);
    table.push([name, median.toFixed(1), p99.toFixed(1), (bytes / 1_000).toFixed(0)]);
  }
  console.log(table.toString());
}

async function underLoad(managed: ManagedNode): Promise<void> {
  const { url } = managed.node;
  await makeLetters({ ...LETTERS, url, queues: QUEUES, exchange: new Names(PREFIX).events });
  await withDashboard(managed, async (dashboard) => {
    const follower = await followed(dashboard);
    console.log(
      `first index of ${LETTERS.count} letters: ${((await firstIndex(dashboard)) / 1_000).toFixed(1)} s`,
    );
    await pagesOf(dashboard);
    const { now, most } = memoryOf(dashboard.pid);
    console.log(
      `the dashboard's memory: ${now.toFixed(0)} MB, ${most.toFixed(0)} MB at most (to reach: ${MOST_MB} MB)`,
    );
    if (most > MOST_MB) process.exitCode = 1;
    await follower.leave();
  });
}

const managed = await managedNode();
const { url } = managed.node;
try {
  await besideWorkers(url, 0, () => costOfLooking(managed));
  await besideWorkers(url, RATE, () => underLoad(managed));
} finally {
  await managed.node.stop();
}
