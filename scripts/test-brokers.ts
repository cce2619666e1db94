import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Table from 'cli-table3';
import { serverVersion } from '../test/support/broker/amqp-probe.js';
import { PrivateNode } from '../test/support/broker/index.js';

/*
 * `npm run test:brokers [-- VERSION...]`: the contract suite and the faults on every RabbitMQ that Hopline is held to,
 * one after another, on private nodes and clusters alone. Exit code 1 if anything failed, or a version can't be had.
 */

const VERSIONS = ['3.10', '4.0', '4.3'] as const;
const SUITES = ['contract', 'faults'] as const;

const root = resolve(import.meta.dirname, '../..');
const mocha = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');

interface Row {
  /** As the broker itself gives it, or as it was asked for if it can't be had. */
  readonly version: string;
  readonly suite: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly remark: string;
}

/** Gets the version first where it isn't here, which takes longer than a test may. */
async function announcedBy(version: string): Promise<string> {
  const node = await PrivateNode.start({ version });
  try {
    return await serverVersion(node.url);
  } finally {
    await node.stop();
  }
}

async function testOn(version: string): Promise<Row[]> {
  try {
    const exact = await announcedBy(version);
    const rows: Row[] = [];
    for (const suite of SUITES) rows.push(await runSuite(version, exact, suite));
    return rows;
  } catch (error) {
    return [{ version, suite: '–', passed: 0, failed: 1, seconds: 0, remark: (error as Error).message }];
  }
}

async function runSuite(version: string, exact: string, suite: string): Promise<Row> {
  console.log(`\n=== RabbitMQ ${exact}: ${suite}`);
  const folder = await mkdtemp(join(tmpdir(), 'hopline-test-brokers-'));
  const summary = join(folder, 'summary');
  const began = performance.now();
  try {
    const child = spawn(process.execPath, [mocha, `dist/test/${suite}/**/*.test.js`], {
      cwd: root,
      env: { ...process.env, BROKER_VERSION: version, TEST_SUMMARY: summary },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [code, signal] = await once(child, 'exit');
    const told = await readFile(summary, 'utf8').catch(() => '0 0');
    const [passed = 0, failed = 0] = told.split(' ').map(Number);
    // A crash fails no test, and neither does a run that found none.
    const crashed = failed === 0 && (code !== 0 || passed === 0);
    return {
      version: exact,
      suite,
      passed,
      failed: crashed ? 1 : failed,
      seconds: Math.round((performance.now() - began) / 1_000),
      remark: crashed ? `mocha ended with ${signal ?? code}` : '',
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function tableOf(rows: readonly Row[]): string {
  const table = new Table({
    head: ['RabbitMQ', 'suite', 'passed', 'failed', 'seconds', ''],
    style: { head: [], border: [] },
  });
  table.push(...rows.map((row) => [row.version, row.suite, row.passed, row.failed, row.seconds, row.remark]));
  return table.toString();
}

const asked = process.argv.slice(2);
const rows: Row[] = [];
for (const version of asked.length > 0 ? asked : VERSIONS) rows.push(...(await testOn(version)));
console.log(`\n${tableOf(rows)}`);
process.exitCode = rows.every(({ failed }) => failed === 0) ? 0 : 1;
