import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifest, root, run as runCommand } from '../project/repository.js';
import { type ProgramOptions, run } from './program.js';

const relay = (options?: ProgramOptions) => run('webhook-relay/main.js', options);

const issue = {
  key: 'github.issues.opened',
  payload: {
    issue: { number: 1, title: 'It works' },
    sender: { login: 'ada' },
    repository: { full_name: 'a/b' },
  },
};

/** What no queue takes is done as soon as it is published: a short run. */
const order = { key: 'order.placed', payload: null };

const lines = (...events: readonly unknown[]): string =>
  events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event))).join('\n');

describe('the webhook relay', function () {
  this.timeout(90_000);
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'webhook-relay-test-'));
  });
  after(() => rm(directory, { recursive: true }));

  it('is what npm start runs', async () => {
    const [build, program, ...more] = manifest.scripts.start?.split(' && ') ?? [];
    // Which `npm test` has done: not even to find that nothing is to be built is cheap.
    assert.deepEqual([build, more], ['npm run --silent build', []]);
    const { stdout } = await runCommand('sh', ['-c', `${program} --help`], { cwd: root });
    assert.match(stdout, /^Usage: npm start/m);
  });

  describe('in memory', () => {
    it("accounts for all of GitHub's 329 example webhooks in every queue, and writes each into the audit", async () => {
      const { code, stdout, stderr } = await relay({ args: ['--out', directory] });
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /^events in: 329$/m);
      assert.match(
        stdout,
        /^329 published × matching queues = 1,359 = 1,030 handled \+ 329 dead-lettered; nothing unexplained: the account balances$/m,
      );
      assert.match(stdout, /relay\.audit +│ +329 │ Audit +│ +329 │ +0 │ +0 │/);
      assert.match(stdout, /relay\.delivery\.healthy +│ +329 │ DeliverToHealthy +│ +329 │ +0 │ +0 │/);
      assert.match(stdout, /relay\.delivery\.flaky +│ +329 │ DeliverToFlaky +│ +329 │ +[1-9]\d* │ +0 │/);
      assert.match(stdout, /relay\.delivery\.refusing +│ +329 │ DeliverToRefusing +│ +0 │ +650 │ +329 │/);
      assert.match(stdout, /325 exhausted in relay\.delivery\.refusing\.dead/);
      assert.match(stdout, /4 unrecoverable in relay\.delivery\.refusing\.dead/);

      const audit = (await readFile(join(directory, 'audit.ndjson'), 'utf8')).trimEnd().split('\n');
      const ids = audit.map((line) => (JSON.parse(line) as { id: string }).id);
      assert.deepEqual([ids.length, new Set(ids).size], [329, 329]);
    });

    it("takes the user's events, names each bad line, and relays the rest", async () => {
      const file = join(directory, 'events.ndjson');
      const invalid = { key: 'github.issues.closed', payload: {} };
      await writeFile(
        file,
        lines(
          issue,
          'oops',
          '',
          [1],
          { payload: 1 },
          { key: 'x' },
          { key: 'a.*', payload: 1 },
          order,
          invalid,
        ),
      );
      const { code, stdout, stderr } = await relay({ args: [file] });
      assert.equal(code, 0, stdout + stderr);
      const reported = [...stderr.matchAll(/^rejected .*events\.ndjson:(\d+): (.+)$/gm)];
      assert.deepEqual(reported.map(([, number]) => number).sort(), ['2', '4', '5', '6', '7']);
      for (const reason of [
        /not JSON/,
        /expected an object/,
        /"key" is missing/,
        /"payload" is missing/,
        /wildcard/,
      ])
        assert.match(stderr, reason);
      assert.match(stdout, /^events in: 3; rejected: 5$/m);
      assert.match(stdout, /1 invalid in relay\.notifier\.dead/);
      assert.match(stdout, /^3 published .* the account balances$/m);
    });

    it('reads standard input, whatever its line ends are', async () => {
      const input = `\uFEFF${JSON.stringify(order)}\r\n\r\n${JSON.stringify(order)}`;
      const { code, stdout, stderr } = await relay({ args: ['-'], input });
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /^events in: 2$/m);
      assert.match(stdout, /^2 published × matching queues = 0 .* the account balances$/m);
    });

    it('fails when all that it was given was bad', async () => {
      const { code, stdout } = await relay({ args: ['-'], input: 'oops\n' });
      assert.equal(code, 1);
      assert.match(stdout, /^events in: 0; rejected: 1$/m);
    });

    it('ends at the deadline, and says by id and queue what is missing', async () => {
      const { code, stdout, stderr } = await relay({ args: ['--deadline', '1.5', '-'], input: lines(issue) });
      assert.equal(code, 1, stdout + stderr);
      assert.match(
        stdout,
        /^missing: [0-9a-f-]{36} \(github\.issues\.opened\) in relay\.delivery\.refusing$/m,
      );
      assert.match(stdout, /the account does NOT balance$/m);
      assert.match(stderr, /^error: not finished after 1\.5 s$/m);
    });
  });

  describe('called wrongly', () => {
    const wrong: readonly { args: string[]; says: RegExp }[] = [
      { args: ['--procesess'], says: /^error: unknown option --procesess, did you mean --processes\?$/m },
      { args: ['--zzz'], says: /^error: unknown option --zzz$/m },
      {
        args: ['--deadline', 'soon'],
        says: /^error: expected --deadline to be a number of seconds, got 'soon'$/m,
      },
      { args: ['a', 'b'], says: /^error: expected one file of events, got 2$/m },
      { args: ['--processes'], says: /^error: --processes needs a broker .* set AMQP_URL/m },
    ];
    for (const { args, says } of wrong) {
      it(`says what is wrong with '${args.join(' ')}', and how it is used`, async () => {
        const { code, stdout, stderr } = await relay({ args });
        assert.deepEqual([code, stdout], [2, '']);
        assert.match(stderr, says);
        assert.match(stderr, /^Usage: npm start/m);
      });
    }

    it('names a file that it cannot read', async () => {
      const { code, stderr } = await relay({ args: [join(directory, 'no-such-file')] });
      assert.equal(code, 1);
      assert.match(stderr, /^error: can't read '.*no-such-file': ENOENT/m);
    });

    it('shows its usage when asked, with every option that its README explains', async () => {
      const { code, stdout } = await relay({ args: ['--help'] });
      assert.equal(code, 0);
      const readme = await readFile('examples/webhook-relay/README.md', 'utf8');
      const explained = [...readme.matchAll(/^\| `(--[a-z]+)/gm)].map(([, option]) => option);
      const offered = [...stdout.matchAll(/^ {2}(--[a-z]+)/gm)].map(([, option]) => option);
      assert.deepEqual(explained, offered);
    });
  });
});
