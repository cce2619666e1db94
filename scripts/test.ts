import { writeFileSync } from 'node:fs';
import { type MochaResult, startMocha, sumOf } from './mocha.js';

/*
 * What `npm test` runs once all is built and linted: the whole suite, in two mocha processes beside each other. Tests of
 * faults mostly wait, for brokers that boot and connections that come back. Arguments go to both: `-- --grep 'dead-letter'`.
 * Ends with the tests that failed, since their reports lie far above. Exit code 1 if there are any, or a process crashed.
 */

const EVERYTHING = 'dist/test/**/*.test.js';
/** Folders whose tests fault brokers of their own. */
const FAULTS = ['dist/test/faults/**/*.test.js', 'dist/test/chaos/**/*.test.js'];

/** A file that the one leaves out is the other's. */
const lanes = {
  rest: [EVERYTHING, ...FAULTS.flatMap((files) => ['--ignore', files])],
  faults: FAULTS,
} as const;

/** A port that is free for a moment, while its node is down, is not free for the other lane. */
const PORTS = { rest: '20000-25999', faults: '26000-31999' } as const;

const given = process.argv.slice(2);
const held: Buffer[] = [];
const [rest, faults] = await Promise.all([
  startMocha({ args: [...lanes.rest, ...given], env: { TEST_PORTS: PORTS.rest } }),
  startMocha({
    args: [...lanes.faults, ...given],
    env: { TEST_PORTS: PORTS.faults },
    onOutput: (chunk) => held.push(chunk),
  }),
]);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    rest.interrupt();
    faults.interrupt();
  });

const results = await Promise.all([rest.ended, faults.ended]);
process.stdout.write(Buffer.concat(held));
for (const failure of results.flatMap(({ failures }) => failures)) console.log(`failed: ${failure}`);
for (const [place, result] of results.entries())
  console.log(`${Object.keys(lanes)[place]}: ${textOf(result)}`);
const sum = sumOf(results);
console.log(`${sum.passed} passed, ${sum.failed} failed`);
const { TEST_SUMMARY } = process.env;
if (TEST_SUMMARY) writeFileSync(TEST_SUMMARY, `${sum.passed} ${sum.failed}\n`);
process.exitCode = sum.failed === 0 ? 0 : 1;

function textOf({ passed, failed, seconds, remark }: MochaResult): string {
  return `${passed} passed, ${failed} failed in ${seconds} s${remark && `; ${remark}`}`;
}
