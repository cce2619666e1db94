import assert from 'node:assert/strict';
import { read } from '../project/repository.js';
import { settingUpPage } from './docs-tables.js';
import { failureOf, nameOf, runtimesOf } from './row.js';
import { ROWS } from './rows/index.js';

/** What these rows say is proved by `npm run test:package`; here it is only compared with the guide. */
describe('the rows of compilers and runners', () => {
  it('are what docs/setting-up.md says (else: npm run docs)', () => {
    const page = read('docs/setting-up.md');
    assert.equal(page, settingUpPage(page, ROWS));
  });

  it('have names of their own, by which they are chosen', () => {
    const names = ROWS.map(nameOf);
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    );
  });

  it('name the version that is installed for them', () => {
    const tools = ['newest', 'older'].map((folder) =>
      JSON.parse(read(`test/stacks/tools/${folder}/package.json`)),
    );
    const specs = tools.flatMap(({ dependencies, optionalDependencies }) =>
      Object.values<string>({ ...dependencies, ...optionalDependencies }),
    );
    const versions = ROWS.flatMap(({ tool }) => /\d+\.\d+/.exec(tool) ?? []);
    assert.ok(versions.length > 50);
    assert.deepEqual(
      versions.filter(
        (version) => !specs.some((spec) => spec.replace(/^npm:.+@/, '').startsWith(`${version}.`)),
      ),
      [],
    );
  });

  it('say what a mistake means only where it is one on each runtime', () => {
    const wrong = ROWS.filter(
      (row) => row.means && runtimesOf(row).some((runtime) => !failureOf(row, runtime)),
    );
    assert.deepEqual(wrong.map(nameOf), []);
  });
});
