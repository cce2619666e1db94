import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { countsIn, resultOf, startMocha, sumOf } from '../../scripts/mocha.js';
import { eventually } from '../support/eventually.js';
import { root } from './repository.js';

const PASSES = "it('passes', () => {});";
const FAILS = "it('fails', () => { throw new Error('no'); });";

/** `npm test` in a repository that holds these tests and nothing else. */
class Suite {
  private constructor(
    private readonly folder: string,
    readonly summary: string,
  ) {}

  static async of(files: Readonly<Record<string, string>>): Promise<Suite> {
    const folder = await mkdtemp(join(tmpdir(), 'hopline-lanes-'));
    // Mocha runs the tests in a child of its own, as it does here.
    const settings = { 'node-option': ['enable-source-maps'] };
    const reporter = join(root, 'dist/test/support/summary-reporter.js');
    await writeFile(join(folder, '.mocharc.json'), JSON.stringify({ ...settings, reporter }));
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, 'dist/test', name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    }
    return new Suite(folder, join(folder, 'summary'));
  }

  start(...args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [join(root, 'dist/scripts/test.js'), ...args], {
      cwd: this.folder,
      env: { ...process.env, TEST_SUMMARY: this.summary },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  async run(...args: readonly string[]) {
    const child = this.start(...args);
    let stdout = '';
    child.stdout?.on('data', (chunk) => {
      stdout += chunk;
    });
    const [code] = await once(child, 'close');
    return { code, stdout, summary: await readFile(this.summary, 'utf8') };
  }

  /** Where its tests may leave something. */
  path(name: string): string {
    return join(this.folder, name);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true });
  }
}

describe('npm test', function () {
  this.timeout(60_000);
  let suite: Suite | undefined;

  afterEach(() => suite?.remove());

  it('runs each file once, in whatever folder it is, in two processes that run beside each other', async () => {
    // Each waits for the other.
    const meets = (own: string, other: string) => `
      const { existsSync, writeFileSync } = require('node:fs');
      it('meets', (done) => {
        writeFileSync('${own}', String(process.pid));
        const timer = setInterval(() => {
          if (!existsSync('${other}')) return;
          clearInterval(timer);
          done();
        }, 10);
      }).timeout(20_000);`;
    suite = await Suite.of({
      'faults/deep/down.test.js': meets('faults', 'rest'),
      'chaos/chaos.test.js': PASSES,
      'some/new/folder.test.js': meets('rest', 'faults'),
      'top.test.js': PASSES,
    });
    const { code, stdout, summary } = await suite.run();
    assert.equal(code, 0, stdout);
    assert.equal(summary, '4 0\n');
    assert.notEqual(await readFile(suite.path('rest'), 'utf8'), await readFile(suite.path('faults'), 'utf8'));
    assert.match(
      stdout,
      /^rest: 2 passed, 0 failed in \d+ s\nfaults: 2 passed, 0 failed in \d+ s\n4 passed/m,
    );
  });

  for (const [lane, files] of [
    ['the faults', { 'faults/a.test.js': FAILS, 'b.test.js': PASSES }],
    ['the rest', { 'faults/a.test.js': PASSES, 'b.test.js': FAILS }],
  ] as const)
    it(`is red if one of ${lane} fails, shows it, and ends with it`, async () => {
      suite = await Suite.of(files);
      const { code, stdout, summary } = await suite.run();
      assert.equal(code, 1);
      assert.equal(summary, '1 1\n');
      assert.match(stdout, /1\) fails/);
      assert.match(stdout, /^failed: fails: no\nrest: .*\nfaults: .*\n1 passed, 1 failed\n$/m);
    });

  it('is red if a process ends before its tests have', async () => {
    suite = await Suite.of({
      'faults/a.test.js': "it('exits', () => process.exit(0));",
      'b.test.js': PASSES,
    });
    const { code, stdout, summary } = await suite.run();
    assert.equal(code, 1);
    assert.equal(summary, '1 1\n');
    assert.match(stdout, /^faults: 0 passed, 1 failed in \d+ s; mocha ended with 0$/m);
  });

  it('hands its arguments to both', async () => {
    suite = await Suite.of({ 'faults/a.test.js': PASSES + FAILS, 'b.test.js': PASSES + FAILS });
    const { code, summary } = await suite.run('--grep', 'passes');
    assert.equal(code, 0);
    assert.equal(summary, '2 0\n');
  });

  it('ends both at a signal', async () => {
    const waits = (own: string) => `
      it('waits', (done) => require('node:fs').writeFileSync('${own}', String(process.pid))).timeout(60_000);`;
    suite = await Suite.of({ 'faults/a.test.js': waits('faults'), 'b.test.js': waits('rest') });
    const child = suite.start();
    const pids = await eventually(() =>
      Promise.all(
        ['faults', 'rest'].map(async (own) => Number(await readFile(suite?.path(own) ?? '', 'utf8'))),
      ),
    );
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    assert.equal(code, 1);
    await eventually(() => assert.deepEqual(pids.filter(isAlive), []));
  });
});

describe('a mocha process', function () {
  this.timeout(60_000);

  it('is ended, and red, if what a test has left keeps it running', async () => {
    const suite = await Suite.of({ 'a.test.js': `${PASSES} setInterval(() => {}, 1_000);` });
    try {
      const output: Buffer[] = [];
      const args = ['--config', suite.path('.mocharc.json'), suite.path('dist/test/a.test.js')];
      const onOutput = (chunk: Buffer) => void output.push(chunk);
      const { ended } = await startMocha({ args, onOutput, endWithinMs: 500 });
      const { passed, failed, remark } = await ended;
      assert.deepEqual({ passed, failed }, { passed: 1, failed: 1 }, Buffer.concat(output).toString());
      assert.match(remark, /something that a test has left keeps it running/);
    } finally {
      await suite.remove();
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the result of a mocha process', () => {
  it('is what it has counted', () => {
    assert.deepEqual(countsIn('12 3\n'), { passed: 12, failed: 3 });
    assert.deepEqual(resultOf({ passed: 12, failed: 3 }, 3), { passed: 12, failed: 3, remark: '' });
    assert.deepEqual(resultOf({ passed: 12, failed: 0 }, 0), { passed: 12, failed: 0, remark: '' });
  });

  it('is a failure if it has crashed: it has not counted, or its end says more than its counts', () => {
    assert.equal(countsIn(''), undefined);
    for (const [counts, exit] of [
      [undefined, 0],
      [undefined, 'SIGKILL'],
      [{ passed: 12, failed: 0 }, 1],
      [{ passed: 12, failed: 0 }, 'SIGSEGV'],
    ] as const)
      assert.deepEqual(resultOf(counts, exit), {
        passed: counts?.passed ?? 0,
        failed: 1,
        remark: `mocha ended with ${exit}`,
      });
  });

  it('adds up', () => {
    assert.deepEqual(sumOf([]), { passed: 0, failed: 0 });
    assert.deepEqual(
      sumOf([
        { passed: 1, failed: 2 },
        { passed: 10, failed: 0 },
      ]),
      { passed: 11, failed: 2 },
    );
  });
});
