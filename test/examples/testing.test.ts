import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from '../project/repository.js';
import { run } from './program.js';

const folder = resolve(import.meta.dirname, '../../examples/testing');
const files = readdirSync(folder).filter((name) => name.endsWith('.test.js'));

/** How many tests each file has: one that is not run proves nothing. */
const TESTS: Readonly<Record<string, number>> = {
  'faults.test.js': 3,
  'idempotency.test.js': 2,
  'time.test.js': 3,
  'welcome.test.js': 1,
};

describe("the test kit's guide, run by node:test", () => {
  it('has all of its files listed here', () => assert.deepEqual(files.sort(), Object.keys(TESTS)));

  for (const [file, tests] of Object.entries(TESTS)) {
    it(`${file}: ${tests} of ${tests} pass`, async () => {
      const { code, stdout, stderr } = await run(`testing/${file}`);
      assert.equal(code, 0, `${stdout}\n${stderr}`);
      assert.match(stdout, new RegExp(`(#|ℹ) pass ${tests}\\n`));
      assert.match(stdout, /(#|ℹ) fail 0\n/);
    });
  }

  it('shows in the guide what the careless handler is told', async () => {
    const { stdout } = await run('testing/idempotency.test.js');
    const report = /^the scenario fails .*? alone: [^\n]*$/ms.exec(stdout)?.[0] ?? '';
    // Without the runtime's own diff, which differs from version to version.
    const told = report.split('\n').filter((line) => /^(the scenario|found in| {2}\+\d)/.test(line));
    assert.ok(told.length > 8, stdout);
    const guide = readFileSync(join(root, 'docs/testing.md'), 'utf8').split('\n');
    assert.deepEqual(
      told.filter((line) => !guide.includes(line)),
      [],
    );
  });
});
