import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { NOTHING, resultOf, startMocha, summaryIn, sumOf } from '../../scripts/mocha.js';
import { longFilesIn, partsOf } from '../../scripts/test-parts.js';
import { eventually } from '../support/eventually.js';
import { shareOf } from '../support/share.js';
import { manifest, root } from './repository.js';
import { dryRun, type TestTitle, testTitles } from './test-titles.js';

const PASSES = "it('passes', () => {});";
/** None of the tests asks for a server: so none is to be started for them. */
const UNUSED = { AMQP_URL: 'amqp://unused', DATABASE_URL: 'postgres://unused', REDIS_URL: 'redis://unused' };
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
      env: { ...process.env, ...UNUSED, TEST_SUMMARY: this.summary },
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

  it('runs each file once, in whatever folder it is, in processes that run beside each other', async () => {
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
    assert.match(stdout, /^the rest: 2 passed, 0 failed in \d+ s$/m);
    assert.match(stdout, /^4 passed, 0 failed\n$/m);
  });

  for (const [part, files] of [
    ['the faults', { 'faults/a.test.js': FAILS, 'b.test.js': PASSES }],
    ['the rest', { 'faults/a.test.js': PASSES, 'b.test.js': FAILS }],
  ] as const)
    it(`is red if one of ${part} fails, shows it, and ends with it`, async () => {
      suite = await Suite.of(files);
      const { code, stdout, summary } = await suite.run();
      assert.equal(code, 1);
      assert.equal(summary, '1 1\n');
      assert.match(stdout, /1\) fails/);
      assert.match(stdout, /^failed: fails: no\n.+: .*\n.+: .*\n1 passed, 1 failed\n$/m);
    });

  it('prints what a part has written in one piece', async () => {
    const says = (word: string) => `
      for (const place of [1, 2, 3])
        it(\`says ${word} \${place}\`, (done) => setTimeout(done, 200));`;
    suite = await Suite.of({ 'faults/a.test.js': says('fault'), 'b.test.js': says('rest') });
    const { stdout } = await suite.run();
    for (const word of ['fault', 'rest'])
      assert.match(stdout, new RegExp(`says ${word} 1.*\n.*says ${word} 2.*\n.*says ${word} 3`));
  });

  it('names the files and the tests that were slowest', async () => {
    suite = await Suite.of({
      'faults/a.test.js': "it('takes a while', (done) => setTimeout(done, 700));",
      'b.test.js': PASSES,
    });
    const { stdout } = await suite.run();
    assert.match(stdout, /^slowest files:\n +\d\.\d s {2}faults\/a\.test\.js\n/m);
    assert.match(stdout, /^slowest tests:\n +\d\.\d s {2}takes a while\n/m);
  });

  it('is red if a process ends before its tests have', async () => {
    suite = await Suite.of({
      'faults/a.test.js': "it('exits', () => process.exit(0));",
      'b.test.js': PASSES,
    });
    const { code, stdout, summary } = await suite.run();
    assert.equal(code, 1);
    assert.equal(summary, '1 1\n');
    assert.match(stdout, /^faults .*: 0 passed, 1 failed in \d+ s; mocha ended with 0$/m);
  });

  it('hands its arguments to all', async () => {
    suite = await Suite.of({ 'faults/a.test.js': PASSES + FAILS, 'b.test.js': PASSES + FAILS });
    const { code, summary } = await suite.run('--grep', 'passes');
    assert.equal(code, 0);
    assert.equal(summary, '2 0\n');
  });

  it('ends all at a signal', async () => {
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

describe('the parts of the suite', () => {
  it('have each test file in one process, or each of its shares in one, but those that have a command of their own', () => {
    const folder = join(root, 'dist/test');
    const parts = partsOf(folder);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.js'))
      .map((file) => join(folder, file));
    assert.ok(files.length > 100);
    for (const file of files) {
      const own = parts.filter((part) => part.files.includes(file));
      const shares = own.map(({ env }) => env?.TEST_SHARE ?? '1/1');
      assert.deepEqual(
        shares,
        own.map((_part, place) => `${place + 1}/${own.length}`),
        file,
      );
      const isElsewhere = ['foreign', 'alerts', 'next', 'moving', 'browser'].some((name) =>
        file.startsWith(join(folder, name, '/')),
      );
      assert.equal(own.length === 0, isElsewhere, file);
    }
  });

  it('that share a file run all of it, and nothing twice', () => {
    const themes = Array.from({ length: 10 }, (_none, place) => place);
    const shares = ['1/3', '2/3', '3/3'].map((share) => shareOf(themes, share));
    assert.deepEqual(shares, [
      [0, 3, 6, 9],
      [1, 4, 7],
      [2, 5, 8],
    ]);
    assert.deepEqual(shareOf(themes, undefined), themes);
    for (const wrong of ['3', '0/3', '4/3', 'a/b'])
      assert.throws(() => shareOf(themes, wrong), /expected a share such as 2\/3, got/);
  });
});

describe('what the parts leave out', () => {
  it('is run by the command for what takes long, and is nothing else', async () => {
    const [all, inShort] = await Promise.all([testTitles(), dryRun({ TEST_SHORT: '1' })]);
    const countIn = (titles: readonly TestTitle[], its: string) =>
      titles.filter(({ file }) => file === its).length;
    const files = [...new Set(all.map(({ file }) => file))];
    const shortened = files.filter((file) => countIn(inShort, file) < countIn(all, file));
    assert.ok(shortened.length > 0);
    const whole = longFilesIn(join(root, 'dist/test'));
    assert.deepEqual(
      shortened.filter((file) => !whole.includes(file)),
      [],
    );
    assert.equal(
      manifest.scripts['test:long'],
      'npm run --silent build && node --enable-source-maps dist/scripts/test-long.js',
    );
  }).timeout(180_000);
});

describe('the result of a mocha process', () => {
  const counted = (passed: number, failed: number) => ({ ...NOTHING, passed, failed });

  it('is what it has counted', () => {
    const summary = { ...counted(12, 1), failures: ['a: no'], tests: [{ name: 'b', ms: 700 }] };
    assert.deepEqual(summaryIn(JSON.stringify(summary)), summary);
    assert.deepEqual(resultOf(summary, 1), { ...summary, remark: '' });
    assert.deepEqual(resultOf(counted(12, 0), 0), { ...counted(12, 0), remark: '' });
  });

  it('is a failure if it has crashed: it has not counted, or its end says more than its counts', () => {
    assert.equal(summaryIn(''), undefined);
    for (const [summary, exit] of [
      [undefined, 0],
      [undefined, 'SIGKILL'],
      [counted(12, 0), 1],
      [counted(12, 0), 'SIGSEGV'],
    ] as const)
      assert.deepEqual(resultOf(summary, exit), {
        ...counted(summary?.passed ?? 0, 1),
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
