import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sized } from '../support/long.js';
import { read, root, run } from './repository.js';

const fixture = 'test/project/handler-option';
const PATCH = `${fixture}/quiet-hours.patch`;

describe('a handler option', function () {
  // The sources are compiled once more.
  this.timeout(300_000);

  let copy: string;
  before(() => {
    copy = mkdtempSync(join(tmpdir(), 'hopline-option-'));
  });
  after(() => rmSync(copy, { recursive: true, force: true }));

  it('is a folder and at most five edits outside it', () => {
    const edits = read(PATCH).match(/^@@ /gm) ?? [];
    assert.ok(edits.length > 0 && edits.length <= 5, `${edits.length} edits`);
    assert.doesNotMatch(read(PATCH), /^new file/m);
  });

  it('is checked, decorates, and decides, once it is there', async () => {
    for (const folder of ['src', 'decorators', 'package.json', 'tsconfig.json'])
      cpSync(join(root, folder), join(copy, folder), { recursive: true });
    cpSync(join(root, fixture, 'quiet-hours'), join(copy, 'src/features/quiet-hours'), { recursive: true });
    cpSync(join(root, fixture, 'program.ts'), join(copy, 'program.ts'));
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    await run('git', ['apply', join(root, PATCH)], { cwd: copy });
    const config = { extends: './tsconfig.json', compilerOptions, include: ['program.ts'] };
    writeFileSync(join(copy, 'tsconfig.option.json'), JSON.stringify(config));

    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout: errors } = await run(process.execPath, [compiler, '-p', 'tsconfig.option.json'], {
      cwd: copy,
    }).catch((error) => error);
    assert.equal(errors, '');

    const { stdout } = await run(process.execPath, ['out/program.js'], { cwd: copy });
    const { handled, problem } = JSON.parse(stdout);
    assert.deepEqual(handled, [
      'another at 2026-01-05T23:00:00.000Z',
      'the class at 2026-01-06T07:00:00.000Z',
      'the function at 2026-01-06T07:00:00.000Z',
    ]);
    assert.match(problem, /expected quietHours\.from to be an integer from 0 to 23, got 24/);
    assert.match(problem, /unknown option quietHours\.too, did you mean to\?/);
  });
});

const compilerOptions = {
  outDir: 'out',
  types: ['node'],
  incremental: false,
  tsBuildInfoFile: null,
  declaration: false,
  declarationMap: false,
  sourceMap: false,
  // In short, that the types fit is left out: to check all of the sources once more takes most of the time.
  noCheck: sized(true, false),
};
