import Table from 'cli-table3';
import { serverVersion } from '../test/support/broker/amqp-probe.js';
import { PrivateNode } from '../test/support/broker/index.js';
import { type MochaResult, NOTHING, startMocha } from './mocha.js';

/*
 * `npm run test:brokers [-- VERSION...]`: the contract suite, the faults and the messages of other clients on every
 * RabbitMQ that Hopline is held to, one after another, on private nodes and clusters alone. Exit code 1 if anything failed,
 * or a version can't be had.
 */

const VERSIONS = ['3.10', '4.0', '4.3'] as const;
const SUITES = ['contract', 'faults', 'foreign'] as const;

interface Row extends MochaResult {
  /** As the broker itself gives it, or as it was asked for if it can't be had. */
  readonly version: string;
  readonly suite: string;
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
    const remark = (error as Error).message;
    return [{ version, suite: '–', ...NOTHING, failed: 1, seconds: 0, remark }];
  }
}

async function runSuite(version: string, exact: string, suite: string): Promise<Row> {
  console.log(`\n=== RabbitMQ ${exact}: ${suite}`);
  const args = [`dist/test/${suite}/**/*.test.js`];
  const { ended } = await startMocha({ args, env: { BROKER_VERSION: version } });
  const result = await ended;
  // A run that found no test has proved nothing.
  if (result.passed + result.failed === 0)
    return { version: exact, suite, ...result, failed: 1, remark: 'there are no tests' };
  return { version: exact, suite, ...result };
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
