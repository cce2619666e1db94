import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { serverVersion } from '../test/support/broker/amqp-probe.js';
import { eventually } from '../test/support/eventually.js';
import { type Account, balance } from './long-jobs/account.js';
import { follow, OF_BROKER, OF_OTHERS, type Staging } from './long-jobs/faults.js';
import { readJournals } from './long-jobs/journal.js';
import { World } from './long-jobs/world.js';

/**
 * `npm run measure:long-jobs -- --broker 4.3 --store postgres`: jobs that take ten times as long as the broker waits, on a cluster of
 * three, while workers are killed and stopped, connections cut, the store and the nodes of the broker killed and booted, as the seed
 * says. Then peace, and the account of every job. It fails if two runs of a job were beside each other, but for one whose process was
 * stopped past its lease; if such a run has had an effect after the next had begun; if a job is lost, or dead; or if a guard or a lease
 * is left. The faults end with nine tenths of the jobs, or after `--minutes`. Takes about six minutes for 500 jobs.
 */

const { values } = parseArgs({
  options: {
    broker: { type: 'string' },
    store: { type: 'string', default: 'redis' },
    jobs: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '15' },
    waits: { type: 'string', default: '1000' },
    lease: { type: 'string', default: '6000' },
    workers: { type: 'string', default: '4' },
    slots: { type: 'string', default: '12' },
  },
});
if (values.store !== 'redis' && values.store !== 'postgres')
  throw new Error(`expected --store redis or postgres, got '${values.store}'`);

/** A job takes so many times as long as the broker waits. */
const TIMES = 10;

/** Part of the jobs after which the faults end: what is left meets the peace. */
const FAULTS_UNTIL = 0.9;

/** How long after the last fault everything has to be where it belongs. */
const QUIET_LIMIT_MS = 240_000;

const [jobs, seed, brokerWaitsMs, leaseMs] = [values.jobs, values.seed, values.waits, values.lease].map(
  Number,
) as [number, number, number, number];
const startedAt = performance.now();
const clock = () => `${((performance.now() - startedAt) / 1_000).toFixed(0)} s`;
const say = (line: string) => process.stdout.write(`${clock()} ${line}\n`);
const troubles: string[] = [];
const counts: Record<string, number> = {};

const world = await World.start({
  ...{
    store: values.store,
    broker: values.broker,
    jobs,
    brokerWaitsMs,
    leaseMs,
    jobMs: TIMES * brokerWaitsMs,
  },
  ...{ workers: Number(values.workers), slots: Number(values.slots) },
});
let account: Account;
try {
  const version = await serverVersion(world.node(0).url);
  say(`RabbitMQ ${version}, ${values.store}: ${jobs} jobs are sent`);
  const from = performance.now();
  const isOver = () =>
    world.arrived.size >= jobs * FAULTS_UNTIL || performance.now() - from > Number(values.minutes) * 60_000;
  const tell: Staging['tell'] = (name, what, error) => {
    const counted = error === undefined ? name : 'not staged';
    counts[counted] = (counts[counted] ?? 0) + 1;
    say(
      `${name}${error === undefined ? '' : ' could not be staged'}: ${what} (${world.arrived.size} jobs are done)`,
    );
  };
  await Promise.all([
    follow(OF_BROKER, world, { seed, isOver, tell }),
    follow(OF_OTHERS, world, { seed: seed + 1, isOver, tell }),
  ]);
  say('peace');
  await world.heal();
  const peaceFrom = performance.now();
  await eventually(settled, { timeout: QUIET_LIMIT_MS, interval: 1_000 }).catch((error) =>
    troubles.push(`after ${QUIET_LIMIT_MS / 1_000} s of peace: ${(error as Error).message}`),
  );
  const quietMs = performance.now() - peaceFrom;
  await Promise.all(world.workers.map((worker) => worker.end()));
  const { done, held, written } = await world.store.left(world.name);
  if (held > 0) troubles.push(`${held} leases are held`);
  const entries = readJournals(world.folder);
  account = balance(entries, { jobs, leaseMs, written });
  troubles.push(...world.workers.flatMap((worker) => worker.troubles), ...account.wrong);
  const { wrong: _wrong, ...figures } = account;
  process.stdout.write(
    `${JSON.stringify({ version, store: values.store, jobs, seed, faults: counts, ...figures, leases: { done, held }, quietS: Math.round(quietMs / 1_000), minutes: ((performance.now() - startedAt) / 60_000).toFixed(1), wrong: troubles.length }, undefined, 1)}\n`,
  );
} finally {
  await world.stop();
}
for (const trouble of troubles) say(`WRONG: ${trouble}`);
if (troubles.length > 0) say(`journals and logs: ${world.folder}`);
else await rm(world.folder, { recursive: true });
process.exitCode = troubles.length > 0 ? 1 : 0;

/** @throws Error that says what still is under way */
async function settled(): Promise<void> {
  const missing = jobs - world.arrived.size;
  if (missing > 0) throw new Error(`nothing has come of ${missing} jobs`);
  const waiting = await world.waiting();
  if (waiting.length > 0) throw new Error(`messages are in ${waiting.join(', ')}`);
}
