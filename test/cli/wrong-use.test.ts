import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedBroker } from '../support/global-setup.js';
import { hopline } from './command.js';

/** An address at which nobody listens; commands that are called wrongly never get there. */
const NOWHERE = 'amqp://ada:s3cret@127.0.0.1:1';

describe('hopline, called wrongly', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hopline-cli-'));
  });
  after(() => rm(directory, { recursive: true }));

  const cases: [title: string, args: string[], stderr: RegExp, url?: string][] = [
    ['an unknown command', ['faild'], /^error: unknown command 'faild'\n\(Did you mean failed\?\)/],
    [
      'an unknown option',
      ['failed', '--quue', 'q'],
      /^error: unknown option '--quue'\n\(Did you mean --queue\?\)/,
    ],
    [
      'no broker',
      ['failed', '--queue', 'q'],
      /^error: no address of a broker\. Set AMQP_URL=.*--url-file\n$/,
      '',
    ],
    ['no queues', ['failed'], /^error: which queues\? Give --app .*--queue\n$/],
    [
      'a broker that is no AMQP',
      ['failed', '--queue', 'q'],
      /^error: the address of the broker is not amqp/,
      'http://x',
    ],
    [
      'a missing url file',
      ['failed', '--queue', 'q', '--url-file', '/nowhere'],
      /^error: can't read --url-file/,
    ],
    [
      'an unknown reason',
      ['failed', '--queue', 'q', '--reason', 'exausted'],
      /^error: unknown reason 'exausted', did you mean exhausted\?/,
    ],
    [
      'a bad duration',
      ['failed', '--queue', 'q', '--since', 'noon'],
      /^error: --since is no duration: 'noon'/,
    ],
    [
      'a bad age',
      ['failed', 'prune', '--queue', 'q', '--older-than', 'old'],
      /^error: --older-than is no duration: 'old'/,
    ],
    ['no age', ['failed', 'prune', '--queue', 'q'], /^error: how old\? Give --older-than 30d/],
    [
      'an age that nothing has',
      ['failed', '--queue', 'q', '--older-than', '7d', '--since', '2h'],
      /^error: nothing has failed since 2h and is older than 7d/,
    ],
    [
      'an unknown command of failed',
      ['failed', 'lst'],
      /^error: unknown command 'lst', did you mean list\? The commands are list, show, /,
    ],
    [
      'an unknown command of batch',
      ['batch', 'lst'],
      /^error: unknown command 'lst', did you mean list\? The commands are list, show, /,
    ],
    ['a bad number', ['failed', '--queue', 'q', '--limit', '-1'], /^error: --limit is no number/],
    ['a bad group', ['failed', '--queue', 'q', '--by', 'mood'], /^error: --by is 'mood'/],
    [
      'a bad rate',
      ['failed', 'retry', '--all', '--queue', 'q', '--rate', 'slow'],
      /^error: --rate is 'slow'/,
    ],
    [
      'two targets',
      ['failed', 'retry', 'id', '--queue', 'q', '--to-queue', '--republish'],
      /^error: both --to-queue and --republish/,
    ],
    ['nothing chosen', ['failed', 'retry', '--queue', 'q'], /^error: which dead letters\?/],
    ['ids and --all', ['failed', 'forget', 'id', '--all', '--queue', 'q'], /^error: both ids and --all/],
    [
      'ids and filters',
      ['failed', 'forget', 'id', '--reason', 'expired', '--queue', 'q'],
      /^error: filters go with --all/,
    ],
    [
      'a queue name that can not be',
      ['failed', '--queue', 'a.#.b'],
      /^error: failures: the queue name 'a\.#\.b' holds the word/,
    ],
    [
      'an app that is not there',
      ['failed', '--app', 'nowhere.js'],
      /^error: the application 'nowhere\.js' can't be loaded.*or, without it, name the queues with --queue, and its prefix with --prefix\n$/s,
    ],
    [
      'an app that is not there, of a command that needs it',
      ['topology', 'show', '--app', 'nowhere.js'],
      /^error: the application 'nowhere\.js' can't be loaded.*Build it first, or mend what it throws\n$/s,
    ],
    ['a payload that is no JSON', ['publish', 'k', '{'], /^error: the payload is no JSON/],
    ['a bad header', ['publish', 'k', '1', '--header', 'x'], /^error: --header is 'x'/],
  ];
  for (const [title, args, stderr, url = NOWHERE] of cases) {
    it(`says so in one line and ends with 2: ${title}`, async () => {
      const ended = await hopline(args, { cwd: directory, ...(url ? { url } : {}) });
      assert.match(ended.stderr, stderr);
      assert.deepEqual([ended.code, ended.stdout], [2, '']);
      assert.doesNotMatch(ended.stderr, /^ +at |s3cret/m);
    });
  }

  for (const flag of ['--version', '-V'])
    it(`prints its version: ${flag}`, async () => {
      const { version } = JSON.parse(await readFile('package.json', 'utf8'));
      const ended = await hopline([flag]);
      assert.deepEqual([ended.code, ended.stdout, ended.stderr], [0, `${version}\n`, '']);
    });

  it('refuses a password on the command line, and takes an address without one', async () => {
    const refused = await hopline(['failed', '--queue', 'q', '--url', NOWHERE]);
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /^error: --url holds a password, which everybody on this machine can read.*AMQP_URL/,
    );
    assert.doesNotMatch(refused.stderr, /s3cret/);
    const taken = await hopline(['failed', '--queue', 'q', '--url', 'amqp://127.0.0.1:1']);
    assert.equal(taken.code, 1);
    assert.match(taken.stderr, /^error: can't connect to 127\.0\.0\.1:1/);
  });

  it('refuses an application that exports no bus', async () => {
    const app = join(directory, 'no-bus.mjs');
    await writeFile(app, 'export default 7;');
    const { code, stderr } = await hopline(['failed', '--app', app], { url: NOWHERE });
    assert.equal(code, 2);
    assert.match(stderr, /^error: '.*no-bus\.mjs' exports no bus\. Export a Bus that is not started/);
  });
});

describe('hopline and its broker', function () {
  this.timeout(60_000);
  let url: string;
  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedBroker()).url;
  });

  it('says where nobody answers, in one line, without the password, and ends with 1', async () => {
    const { code, stderr, stdout } = await hopline(['failed', '--queue', 'q'], { url: NOWHERE });
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^error: can't connect to 127\.0\.0\.1:1 in time: .*\n$/);
    assert.doesNotMatch(stderr, /s3cret|ada/);
    const verbose = await hopline(['failed', '--queue', 'q', '--verbose'], { url: NOWHERE });
    assert.match(verbose.stderr, /^ +at /m);
    assert.doesNotMatch(verbose.stderr, /s3cret/);
  });

  it('names a queue that does not exist', async () => {
    const { code, stderr } = await hopline(['failed', '--queue', 'hopline-cli-nothing'], { url });
    assert.equal(code, 1);
    assert.match(stderr, /^error: there is no queue 'hopline-cli-nothing\.dead'\. Check the name/);
  });
});
