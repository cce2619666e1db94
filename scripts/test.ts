import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import type { Timed } from '../test/support/summary-reporter.js';
import { type MochaProcess, type MochaResult, startMocha, sumOf } from './mocha.js';
import { startServers } from './servers.js';
import { longFilesIn, type Part, partsOf } from './test-parts.js';

/*
 * What `npm test` runs once all is built and linted: the whole suite, in parts, some of them beside each other; what a part
 * has written is printed when it has ended. Arguments go to all: `-- --grep 'dead-letter'`. Ends with the tests that were
 * slowest and those that failed, since their reports lie far above. Exit code 1 if any failed, or a process crashed.
 */

const TESTS = 'dist/test';

/** Most tests wait: for brokers that boot, connections that come back, deadlines. */
const LANES = Number(process.env.TEST_LANES) || Math.min(2 * availableParallelism(), 8);

/** As `test/support/broker/ports.ts` has it. A lane has some for itself: those of a node that is down are free for nobody else. */
const [FIRST_PORT = 0, LAST_PORT = 0] = (process.env.TEST_PORTS || '20000-31999').split('-').map(Number);

const SLOWEST = 10;

const given = process.argv.slice(2);
const waiting = [...partsOf(TESTS)];
const running = new Set<MochaProcess>();
const ended: { readonly part: Part; readonly result: MochaResult }[] = [];
let interrupted = false;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    interrupted = true;
    for (const mocha of running) mocha.interrupt();
  });

const servers = await startServers();
try {
  await Promise.all(Array.from({ length: LANES }, (_none, lane) => work(lane)));
} finally {
  await servers.stop();
}
const results = ended.map(({ result }) => result);
slowest(
  'files',
  results.flatMap(({ files }) => files).map(({ name, ms }) => ({ name: below(name), ms })),
);
slowest(
  'tests',
  results.flatMap(({ tests }) => tests),
);
for (const failure of results.flatMap(({ failures }) => failures)) console.log(`failed: ${failure}`);
for (const { part, result } of ended) console.log(`${part.name}: ${textOf(result)}`);
for (const { name } of waiting) console.log(`${name}: not run`);
const shortened = longFilesIn(TESTS).map(below);
if (shortened.length > 0) console.log(`in short: ${shortened.join(', ')}; whole with npm run test:long`);
const { passed, failed } = sumOf(results);
console.log(`${passed} passed, ${failed} failed`);
const { TEST_SUMMARY } = process.env;
if (TEST_SUMMARY) writeFileSync(TEST_SUMMARY, `${passed} ${failed}\n`);
process.exitCode = failed === 0 && waiting.length === 0 ? 0 : 1;

/** One part after another, until none waits. */
async function work(lane: number): Promise<void> {
  while (!interrupted) {
    const part = waiting.shift();
    if (!part) return;
    const result = await run(part, portsOf(lane));
    ended.push({ part, result });
  }
}

async function run(part: Part, ports: string): Promise<MochaResult> {
  const output: Buffer[] = [];
  const mocha = await startMocha({
    args: [...part.files, ...given],
    env: { ...servers.env, TEST_PORTS: ports, TEST_SHORT: '1', ...part.env },
    onOutput: (chunk) => void output.push(chunk),
  });
  running.add(mocha);
  if (interrupted) mocha.interrupt();
  const result = await mocha.ended;
  running.delete(mocha);
  process.stdout.write(`\n=== ${part.name}\n`);
  process.stdout.write(Buffer.concat(output));
  return result;
}

function portsOf(lane: number): string {
  const each = Math.floor((LAST_PORT + 1 - FIRST_PORT) / LANES);
  const first = FIRST_PORT + lane * each;
  return `${first}-${first + each - 1}`;
}

function slowest(what: string, all: readonly Timed[]): void {
  const most = all.toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST);
  if (most.length > 0) console.log(`\nslowest ${what}:`);
  for (const { name, ms } of most) console.log(`${(ms / 1_000).toFixed(1).padStart(7)} s  ${name}`);
}

function below(file: string): string {
  return relative(TESTS, file);
}

function textOf({ passed, failed, seconds, remark }: MochaResult): string {
  return `${passed} passed, ${failed} failed in ${seconds} s${remark && `; ${remark}`}`;
}
