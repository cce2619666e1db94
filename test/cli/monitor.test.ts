import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bus, rabbitmq } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { silentLogger } from '../../src/util/logger.js';
import { removeFromBroker } from '../examples/remove-from-broker.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import { hoplineHere } from './command.js';

describe('hopline monitor --once', function () {
  this.timeout(60_000);
  const prefix = `monitor-${randomBytes(4).toString('hex')}`;
  const queue = `${prefix}.work`;
  const gate = deferred();
  let url: string;
  let directory: string;
  let bus: Bus;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedBroker()).url;
    directory = await mkdtemp(join(tmpdir(), 'hopline-monitor-'));
    bus = new Bus({
      service: prefix,
      prefix,
      transport: rabbitmq({ url }),
      concurrency: 1,
      log: silentLogger,
    });
    await bus.handle('work', () => gate.promise, { queue, name: 'Work' }).start();
    // One runs, one or two wait here, and the rest in the queue.
    for (let number = 0; number < 20; number += 1) await bus.publish('work', number);
    await eventually(async () => (await bus.workload()).running === 1);
  });

  after(async () => {
    gate.resolve();
    await bus?.stop();
    await rm(directory, { recursive: true });
    await removeFromBroker(url, { queues: [queue], prefix });
  });

  async function once(options: object, ...flags: string[]) {
    const file = join(directory, 'rules.json');
    await writeFile(file, JSON.stringify({ defaults: false, ...options }));
    const own = [
      'monitor',
      '--once',
      '--over',
      '100ms',
      '--wait',
      '300ms',
      '--prefix',
      prefix,
      '--rules',
      file,
    ];
    return hoplineHere([...own, ...flags], { url });
  }

  it('ends with the state of the worst as Nagios reads it, with the figures behind a bar', async () => {
    const { ready = -1 } = (await bus.workload()).queues[0] ?? {};
    assert.ok(ready > 10);
    const states: readonly (readonly [rule: string, code: number, line: string])[] = [
      [
        'queue_length > 100 critical',
        0,
        `HOPLINE OK - 1 values within their limits | 'queue_length ${queue}'=${ready};;100\n`,
      ],
      [
        'queue_length > 5 warning, > 100 critical for 1h',
        1,
        `HOPLINE WARNING - ${ready} messages wait in queue '${queue}' | 'queue_length ${queue}'=${ready};5;100\n`,
      ],
      [
        'queue_length > 5 critical',
        2,
        `HOPLINE CRITICAL - ${ready} messages wait in queue '${queue}' | 'queue_length ${queue}'=${ready};;5\n`,
      ],
    ];
    for (const [rule, code, line] of states)
      assert.deepEqual(await once({ rules: [rule] }), { code, stdout: line, stderr: '' });
  });

  it('prints the whole state as JSON, and takes rules from the command line before those of the file', async () => {
    const { code, stdout } = await once(
      { rules: ['queue_length off'] },
      '--rule',
      'queue_length > 1',
      '--json',
    );
    assert.equal(code, 1);
    const [{ id, state, severity, limits }] = JSON.parse(stdout);
    assert.deepEqual(
      [id, state, severity, limits],
      [`queue_length ${queue}`, 'firing', 'warning', { warning: 1 }],
    );
  });

  it('has the default rules where there are no others', async () => {
    const { code, stdout } = await once({ defaults: true });
    assert.match(
      stdout,
      /^HOPLINE OK - \d+ values within their limits \| .*'failure_rate .*\/Work'=0%;10;50/,
    );
    assert.equal(code, 0);
  });

  it('says that nothing is known where workers do not answer, the broker is away, or it is called wrongly', async () => {
    const cases = [
      [
        ['--prefix', `${prefix}-none`, '--queue', queue],
        /^HOPLINE UNKNOWN - no worker has answered, though some consume \| /,
      ],
      [['--queue', `${prefix}.none`], /^HOPLINE UNKNOWN - there is no queue 'monitor-\w+\.none' \| /],
      [['--management', 'http://127.0.0.1:1'], /^HOPLINE UNKNOWN - the management API does not answer \| /],
      [['--url', 'amqp://127.0.0.1:1'], /^HOPLINE UNKNOWN - .*127\.0\.0\.1:1/],
      [
        ['--rule', 'queue_length < 5'],
        /^HOPLINE UNKNOWN - .*expected '>' and a limit, or 'off' at character 14, got '<'/,
      ],
    ] as const;
    for (const [flags, line] of cases) {
      const { code, stdout } = await once({ rules: ['queue_length > 1000'] }, ...flags);
      assert.match(stdout, line);
      assert.equal(code, 3);
    }
  });

  it('prints nothing of a file or an address that may be a secret', async () => {
    const file = join(directory, 'broken.json');
    await writeFile(file, 'https://hooks.example.org/s3cret');
    const { code, stdout } = await hoplineHere(['monitor', '--once', '--rules', file], { url });
    assert.deepEqual([code, stdout], [3, `HOPLINE UNKNOWN - '${file}' is no JSON\n`]);
    await writeFile(file, '{ "webhooks": [{ "secret": "s3cret" "url": 1 }] }');
    const placed = await hoplineHere(['monitor', '--once', '--rules', file], { url });
    assert.match(placed.stdout, / is no JSON at position 36/);
    assert.doesNotMatch(placed.stdout, /s3cret/);
    const env = { ALERT_WEBHOOK: 'hooks.example.org/s3cret' };
    const addressed = await hoplineHere(['monitor', '--once'], { url, env });
    assert.match(addressed.stdout, /^HOPLINE UNKNOWN - .*webhooks\[0\]\.url to be an address/);
    assert.doesNotMatch(addressed.stdout, /s3cret/);
  });

  it('says that nothing is known where it is called wrongly, and why in JSON, too', async () => {
    const typo = await hoplineHere(['monitor', '--once', '--typo'], { url });
    assert.equal(typo.code, 3);
    assert.match(typo.stderr, /unknown option '--typo'/);
    const { code, stdout, stderr } = await once({}, '--json', '--url', 'amqp://127.0.0.1:1');
    assert.deepEqual([code, JSON.parse(stdout)], [3, []]);
    assert.match(stderr, /^HOPLINE UNKNOWN - .*127\.0\.0\.1:1/);
    assert.equal((await hoplineHere(['monitor', '--typo'], { url })).code, 2);
  });

  it('without --once is called wrongly with 2, like any command', async () => {
    const { code, stderr } = await hoplineHere(['monitor', '--rule', 'oldest > 5%'], { url });
    assert.equal(code, 2);
    assert.match(stderr, /rule "oldest > 5%"/);
  });
});
