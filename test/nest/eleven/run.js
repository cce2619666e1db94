import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

/*
 * `npm run test:nest`: the tests of hopline/nest beside Nest 11, those of this repository being beside Nest 12. What is built is copied to
 * where this folder's packages are the nearest; and so is the package, whose entry points the example has.
 */

const root = resolve(import.meta.dirname, '../../..');
const packages = join(import.meta.dirname, 'node_modules');
const tests = join(packages, 'hopline-tests');

/** @param {string} from in the repository @param {string} to among the packages */
function copy(from, to) {
  rmSync(join(packages, to), { recursive: true, force: true });
  cpSync(join(root, from), join(packages, to), { recursive: true });
}

for (const each of ['src', 'decorators', 'examples', 'test/support', 'test/examples', 'test/nest'])
  copy(`dist/${each}`, `hopline-tests/dist/${each}`);
mkdirSync(join(packages, 'hopline'), { recursive: true });
for (const each of ['lib', 'package.json']) copy(each, `hopline/${each}`);
// As the repository's own, by which the tests find it, and the modules what they are.
writeFileSync(join(tests, 'package.json'), '{ "type": "module" }\n');
if (!existsSync(join(packages, '@nestjs/core'))) throw new Error('Nest 11 is not installed here');

const mocha = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');
const files = ['dist/test/nest/*.test.js', join(import.meta.dirname, '*.test.cjs')];
const options = ['--no-config', '--timeout', '30000', '--enable-source-maps'];
const needed = ['reflect-metadata', './dist/test/support/global-setup.js'].flatMap((each) => [
  '--require',
  each,
]);
const { status } = spawnSync(process.execPath, [mocha, ...options, ...needed, ...files], {
  cwd: tests,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
