import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FailureGroup } from '../../src/failures/groups/group.js';
import type { DeadLetterSummary } from '../../src/operate.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import { TypedClient } from '../support/typed-client.js';
import { Command, hopline, hoplineHere, INDEX } from './command.js';
import { FailingService } from './service.js';

describe('hopline failed', function () {
  this.timeout(60_000);
  let url: string;
  let service: FailingService;
  let directory: string;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedBroker()).url;
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hopline-cli-'));
    service = new FailingService(url);
    await service.start();
  });
  afterEach(async () => {
    await service.remove();
    await rm(directory, { recursive: true });
  });

  /** The command, on the service's queue. */
  const failed = (args: string[], options: Parameters<typeof hoplineHere>[1] = {}) =>
    hoplineHere(['failed', ...args, ...its()], { url, ...options });
  const its = () => ['--queue', service.queue, '--prefix', service.name];
  const asking = (args: string[]) =>
    new Command(['failed', ...args, ...its()], {
      url,
      terminal: true,
    });
  const listed = async (...args: string[]) => {
    const { code, stdout, stderr } = await failed(['list', '--json', ...args]);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as DeadLetterSummary[];
  };
  const ids = async (...args: string[]) => (await listed(...args)).map(({ id }) => id);

  it('lists what is dead in a table that a pipe can read, and counts by reason', async () => {
    await service.fail('one', 'bad-two');
    const { code, stdout, stderr } = await hopline(['failed', ...its()], { url });
    assert.equal(code, 0, stderr);
    const [head, first, second, ...others] = stdout.trimEnd().split('\n');
    assert.match(head ?? '', /^ID +QUEUE +ROUTING KEY +REASON +ATTEMPTS +FAILED AT +ERROR$/);
    const when = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`;
    assert.match(
      first ?? '',
      new RegExp(`^one +${service.queue} +mail.one +rejected +1 +${when} +Error: the server says no$`),
    );
    assert.match(
      second ?? '',
      new RegExp(`^bad-two .* exhausted +1 +${when} +TypeError: no mailbox at all$`),
    );
    assert.deepEqual(others, []);
    assert.equal(stderr, '2 dead letters: 1 rejected, 1 exhausted\n');
    assert.deepEqual(await ids(), ['one', 'bad-two'], 'nothing was taken');
  });

  it('gives the list as JSON, field by field', async () => {
    await service.fail('one');
    const [letter] = await listed();
    const { failedAt, firstAttemptAt, publishedAt, ...rest } = letter ?? ({} as DeadLetterSummary);
    assert.deepEqual(rest, {
      id: 'one',
      queue: service.queue,
      deadQueue: `${service.queue}.dead`,
      exchange: `${service.name}.events`,
      routingKey: 'mail.one',
      reason: 'rejected',
      by: 'hopline',
      error: 'Error: the server says no',
      handler: 'mail.#',
      attempts: 1,
      bytes: 24,
    });
    assert.ok(!('encryptedWith' in (letter ?? {})));
    for (const at of [failedAt, firstAttemptAt, publishedAt])
      assert.match(String(at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('lists the groups of those that failed in the same way, and what operators say of them', async () => {
    await service.fail('one', 'bad-two', 'three');
    const groups = async () => {
      const { code, stdout, stderr } = await failed(['groups', '--json']);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout) as FailureGroup[];
    };
    const found = (await groups()).toSorted((left, right) => right.count - left.count);
    assert.deepEqual(
      found.map(({ kind, count, state }) => [kind, count, state]),
      [
        ['Error', 2, 'open'],
        ['TypeError', 1, 'open'],
      ],
    );
    const group = found[0]?.id ?? assert.fail('no group');
    assert.deepEqual(await ids('--group', group.slice(0, 6)), ['one', 'three']);
    const marked = await failed(['mark', group.slice(0, 6), '--state', 'resolved', '--note', 'mended']);
    assert.equal(marked.stdout, `group ${group} is resolved: mended\n`, marked.stderr);
    assert.deepEqual((await groups()).find(({ id }) => id === group)?.note, 'mended');
    const { stdout, stderr } = await failed(['groups']);
    assert.match(stdout, /^GROUP +COUNT +LAST FAILED AT +STATE +HANDLER +ERROR\n/);
    assert.match(stdout, new RegExp(`${group} +2 .* resolved .*Error: the server says no \\(mended\\)`));
    assert.equal(stderr, '3 dead letters in 2 groups\n');
    assert.match(
      (await failed(['mark', 'nothing', '--state', 'seen'])).stderr,
      /no dead letters in group 'nothing'/,
    );
    assert.match((await failed(['mark', group])).stderr, /Give --state, --note, or both/);
  });

  it('forgets into the trash, and restores from there', async () => {
    await service.fail('one', 'two');
    const forgotten = await failed(['forget', 'one', '--trash', '--yes']);
    assert.equal(forgotten.code, 0, forgotten.stderr);
    assert.equal(forgotten.stdout, '1 dead letter moved into the trash\n');
    assert.deepEqual(await ids(), ['two']);
    const restored = await failed(['restore', '--all', '--yes']);
    assert.equal(restored.stdout, '1 dead letter restored\n', restored.stderr);
    assert.deepEqual((await ids()).toSorted(), ['one', 'two']);
    assert.equal(
      (await failed(['restore', '--all', '--yes'])).stdout,
      '0 letters in the trash: nothing to restore\n',
    );
  });

  it('narrows by reason, time, text and number, and counts by what it is asked for', async () => {
    await service.fail('one', 'bad-two', 'three');
    assert.deepEqual(await ids('--reason', 'rejected'), ['one', 'three']);
    assert.deepEqual(await ids('--reason', 'rejected', '--reason', 'exhausted'), ['one', 'bad-two', 'three']);
    assert.deepEqual(await ids('--grep', 'NO MAILBOX'), ['bad-two']);
    assert.deepEqual(await ids('--grep', '"to":"three"'), ['three']);
    assert.deepEqual(await ids('--since', '1h'), ['one', 'bad-two', 'three']);
    assert.deepEqual(await ids('--since', '0s'), []);
    assert.deepEqual(await ids('--limit', '2'), ['one', 'bad-two']);
    const { stdout } = await failed(['--by', 'reason']);
    assert.equal(stdout, 'COUNT  REASON\n2      rejected\n1      exhausted\n');
    const json = await failed(['--by', 'error', '--json']);
    assert.deepEqual(JSON.parse(json.stdout), [
      { error: 'Error: the server says no', count: 2 },
      { error: 'TypeError: no mailbox\nat all', count: 1 },
    ]);
  });

  it('shows which step of its chain a dead letter is, and what would come after it', async () => {
    await service.failStep('the-chain', 2, 4);
    const [letter] = await listed();
    const { code, stdout, stderr } = await failed(['show', letter?.id ?? '']);
    assert.equal(code, 0, stderr);
    const line = 'chain           step 2 of 4 of the-chain; then mail.3, mail.4';
    hasLines(stdout, [line]);
  });

  it('shows one whole, by the beginning of its id, and its body as bytes', async () => {
    await service.fail('bad-one', 'bad-two');
    const { code, stdout, stderr } = await failed(['show', 'bad-o']);
    assert.equal(code, 0, stderr);
    hasLines(stdout, [
      'id              bad-one',
      'reason          exhausted',
      'routing key     mail.bad-one',
      '  TypeError: no mailbox',
      '    "to": "bad-one",',
    ]);
    assert.match(stdout, /^ {6}at .*service/m, 'the stack');
    const raw = await failed(['show', 'bad-one', '--raw']);
    assert.equal(raw.stdout, '{"to":"bad-one","bad":true}');
    const several = await failed(['show', 'bad']);
    assert.equal(several.code, 1);
    assert.match(
      several.stderr,
      /^error: 2 dead letters have an id that begins with 'bad'\. Give more of the id: bad-one, bad-two\n$/,
    );
    const none = await failed(['show', 'nobody']);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /^error: no dead letter has the id 'nobody'\. /);
  });

  it('shows headers and properties of a foreign client as they are, and their type where the value would be another', async () => {
    const client = await TypedClient.connect(url);
    const hex = (text: string) => Buffer.from(text, 'hex');
    const headers = [
      { name: Buffer.from('count'), value: hex('4900000005') },
      { name: Buffer.from('large'), value: hex('6c0020000000000001') },
      { name: Buffer.from('owed'), value: hex('4402ffffff83') },
      { name: Buffer.from('place'), value: hex('5300000002c3ff') },
    ];
    const values = { messageId: hex('6dff'), correlationId: hex('fe'), type: Buffer.from('t') };
    await client.publish(`${service.name}.events`, 'mail.x', { headers, values, body: Buffer.from('{}') });
    await eventually(async () => (await ids()).length === 1);
    await client.close();
    const { code, stdout, stderr } = await failed(['show', 'm']);
    assert.equal(code, 0, stderr);
    hasLines(stdout, [
      'messageId       {"$text":"bf8="}',
      'correlationId   {"$text":"/g=="}',
      'type            t',
      '  count: 5',
      '  large: {"$int64":"9007199254740993"}',
      '  owed: {"$decimal":"-1.25"}',
      '  place: {"$text":"w/8="}',
    ]);
    const { properties, headers: exported } = JSON.parse((await failed(['export'])).stdout);
    assert.deepEqual([properties.messageId, exported.count], [{ $text: 'bf8=' }, { $int32: 5 }]);
  });

  it('says what is encrypted and by which key, and shows it to who has that', async () => {
    await service.fail('one');
    await service.failEncrypted('two');
    const { stdout: table } = await failed([]);
    const [head, first, second] = table.trimEnd().split('\n');
    assert.match(head ?? '', / +FAILED AT +ENCRYPTION +ERROR$/);
    assert.match(first ?? '', /^one .*Z +- +Error: the server says no$/);
    assert.match(second ?? '', /^two .*Z +encrypted, key k1 +Error: the server says no$/);
    assert.deepEqual(
      (await listed()).map(({ encryptedWith }) => encryptedWith),
      [undefined, 'k1'],
    );

    const shown = await failed(['show', 'two']);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /^encrypted +key k1$/m);
    assert.match(shown.stdout, /body \(52 bytes\)\n {2}encrypted, key k1; --keys FILE decrypts it/);
    const raw = await failed(['show', 'two', '--raw']);
    assert.ok(!raw.stdout.includes('two'));

    const file = join(directory, 'keys.json');
    await writeFile(file, JSON.stringify(service.keys));
    const body = '{"to":"two","bad":false}';
    assert.equal((await failed(['show', 'two', '--raw', '--keys', file])).stdout, body);
    const env = { HOPLINE_KEYS: JSON.stringify(service.keys) };
    assert.match((await failed(['show', 'two'], { env })).stdout, / {4}"to": "two"/);
    assert.equal((await failed(['show', 'one', '--raw'], { env })).stdout, body.replace('two', 'one'));

    const out = await failed(['export']);
    assert.equal(out.stderr, '2 dead letters exported; 1 of them encrypted, and exported so\n');
    service.mended = true;
    await failed(['retry', 'two']);
    await eventually(() => assert.deepEqual(service.payloads, [JSON.parse(body)]));
  });

  it('says that a key is the wrong one, or no key, and never which', async () => {
    await service.failEncrypted('two');
    const other = randomBytes(32).toString('base64');
    const ended = async (keys: string, ...args: string[]) =>
      failed(['show', 'two', '--verbose', ...args], { env: { HOPLINE_KEYS: keys } });
    const wrong = await ended(JSON.stringify({ current: 'k1', keys: { k1: other } }));
    assert.equal(wrong.code, 1);
    assert.match(wrong.stdout, /encrypted; the message can't be decrypted: key 'k1' does not decrypt it/);
    assert.match(wrong.stderr, /^error: the message can't be decrypted: key 'k1' does not decrypt it/);
    const unknown = await ended(JSON.stringify({ current: 'k9', keys: { k9: other } }));
    assert.match(
      unknown.stderr,
      /^error: the message is encrypted with key 'k1', which is not among the known keys/,
    );
    const broken = [
      await ended(`{"k1": ${other}`),
      await ended(JSON.stringify({ current: other, keys: { [other]: 'x' } })),
    ];
    assert.deepEqual(
      broken.map(({ code }) => code),
      [2, 2],
    );
    for (const { stdout, stderr } of [wrong, unknown, ...broken])
      assert.ok(!`${stdout}${stderr}`.includes(other.slice(0, 12)), stderr);
  });

  it('replays by id, at once and without a question', async () => {
    await service.fail('one', 'two', 'three');
    service.mended = true;
    const { code, stdout, stderr } = await failed(['retry', 'two', 'thr']);
    assert.deepEqual([code, stdout, stderr], [0, '2 dead letters replayed\n', '']);
    await eventually(() => assert.deepEqual([...service.handled].sort(), ['three', 'two']));
    assert.deepEqual(await ids(), ['one']);
  });

  it('replays all that the filters leave, through the exchange if told so, when somebody says yes', async () => {
    await service.fail('one', 'bad-two');
    service.mended = true;
    const { code, stdout, stderr } = await failed([
      'retry',
      '--all',
      '--reason',
      'exhausted',
      '--republish',
      '--rate',
      '50/s',
      '--yes',
    ]);
    assert.deepEqual([code, stdout], [0, '1 dead letter replayed\n'], stderr);
    assert.match(
      stderr,
      /^1 dead letter \(1 exhausted\) will be replayed to every subscriber of their routing keys, on 127\.0\.0\.1:\d+, vhost '\/'\n$/,
    );
    await eventually(() => assert.deepEqual([...service.handled], ['bad-two']));
    assert.deepEqual(await ids(), ['one']);
  });

  it('keeps what it can not replay, says which and why, and ends with 1', async () => {
    await service.fail('one');
    const lines = (await failed(['export'])).stdout;
    const line = { ...JSON.parse(lines), id: 'gone', exchange: `${service.name}.nowhere` };
    line.properties.messageId = 'gone';
    await failed(['import', '-', '--yes'], { input: JSON.stringify(line) });
    service.mended = true;
    const { code, stdout, stderr } = await failed(['retry', '--all', '--republish', '--yes']);
    assert.equal(code, 1);
    assert.equal(stdout, '1 dead letter replayed, 1 failed and stay where they were\n');
    assert.match(stderr, /^failed: gone in .*\.dead: .*no exchange/m);
    assert.deepEqual(await ids(), ['gone']);
  });

  it('deletes by id, by filter, and everything', async () => {
    await service.fail('one', 'bad-two', 'three', 'four');
    const byId = await failed(['forget', 'one', '--yes']);
    assert.deepEqual([byId.code, byId.stdout], [0, '1 dead letter forgotten\n'], byId.stderr);
    assert.match(byId.stderr, /^1 dead letter \(1 rejected\) will be deleted for good, on 127/);
    const byFilter = await failed(['forget', '--all', '--reason', 'exhausted', '--yes']);
    assert.deepEqual([byFilter.code, byFilter.stdout], [0, '1 dead letter forgotten\n']);
    assert.deepEqual(await ids(), ['three', 'four']);
    const flush = await failed(['flush', '--yes']);
    assert.deepEqual([flush.code, flush.stdout], [0, '2 dead letters deleted\n']);
    assert.match(
      flush.stderr,
      new RegExp(`^all of ${service.queue}\\.dead, 2 dead letters \\(2 rejected\\), will be deleted`),
    );
    assert.equal(await service.dead(), 0);
    assert.equal((await failed(['flush', '--yes'])).stdout, '0 dead letters: nothing to flush\n');
  });

  it('prunes what is old, and nothing that is younger or of which nobody knows how old it is', async () => {
    const days = (count: number) => count * 24 * 60 * 60 * 1_000;
    await service.bury('old', days(40));
    await service.bury('older', days(90));
    await service.bury('undated', undefined);
    await service.bury('young', days(20));
    await service.fail('new');
    assert.deepEqual(await ids('--older-than', '30d'), ['old', 'older']);
    assert.deepEqual(await ids('--older-than', '30d', '--since', '60d'), ['old']);
    const dry = await failed(['prune', '--older-than', '30d', '--dry-run']);
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(
      dry.stdout,
      /^2 dead letters that failed before \S+ \S+Z \(2 exhausted\) would be deleted for good, on 127/,
    );
    const asked = await failed(['prune', '--older-than', '30d']);
    assert.equal(asked.code, 2, 'nobody is here to confirm it');
    const first = await failed(['prune', '--older-than', '30d', '--limit', '1', '--yes']);
    assert.deepEqual([first.code, first.stdout], [0, '1 dead letter pruned\n'], first.stderr);
    const second = await failed(['prune', '--older-than', '30d', '--reason', 'exhausted', '--yes']);
    assert.deepEqual([second.code, second.stdout], [0, '1 dead letter pruned\n'], second.stderr);
    assert.deepEqual((await ids()).toSorted(), ['new', 'undated', 'young']);
    const none = await failed(['prune', '--older-than', '30d', '--yes']);
    assert.equal(none.code, 0);
    assert.match(none.stdout, /^0 dead letters that failed before .*: nothing to delete\n$/);
  });

  it('carries dead letters through a file, bytes intact, and tells bad lines by number', async () => {
    await service.fail('one', 'bad-two');
    const before = [await failed(['show', 'one']), await failed(['show', 'bad-two'])];
    const file = join(directory, 'dead.ndjson');
    const out = await failed(['export', '--out', file]);
    assert.deepEqual([out.code, out.stdout, out.stderr], [0, '', '2 dead letters exported\n']);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await failed(['export', '--out', file])).code, 1, 'nothing is written over');
    assert.deepEqual(await ids(), ['one', 'bad-two']);
    await failed(['flush', '--yes']);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('\n', '\n{"v":1}\n'));
    const back = await failed(['import', file, '--yes']);
    assert.deepEqual([back.code, back.stdout], [1, '2 dead letters imported, 1 lines failed\n']);
    assert.match(back.stderr, /^3 dead letters will be put into their dead-letter queues, on 127/);
    assert.match(
      back.stderr,
      /^line 2: not a line of an export: expected body to be a string, got undefined$/m,
    );
    assert.deepEqual([await failed(['show', 'one']), await failed(['show', 'bad-two'])], before);
  });

  it('does nothing without a terminal or --yes, and ends with 2', async () => {
    await service.fail('one');
    for (const args of [['retry', '--all'], ['forget', 'one'], ['flush'], ['import', '-']]) {
      const { code, stderr, stdout } = await failed(args, { input: 'y\n' });
      assert.equal(code, 2, args.join(' '));
      assert.equal(stdout, '');
      assert.match(
        stderr,
        /will be .*, on 127.*\nerror: nothing was done: nobody is here to confirm it\. Run it in a terminal, or add --yes\n$/,
      );
    }
    assert.deepEqual(await ids(), ['one']);
  });

  it('asks on a terminal: a no changes nothing, a yes does it', async () => {
    await service.fail('one');
    const no = await asking(['flush']).answer('n');
    assert.equal(no.code, 1);
    assert.match(no.stdout, /will be deleted for good, on 127.*Go on\? \[y\/N\].*nothing was done\r\n$/s);
    assert.deepEqual(await ids(), ['one']);
    service.mended = true;
    const yes = await asking(['retry', '--all']).answer('yes');
    assert.equal(yes.code, 0, yes.stdout);
    assert.match(yes.stdout, /1 dead letter replayed/);
    assert.match(yes.stdout, /100%/, 'a bar');
    await eventually(() => assert.deepEqual([...service.handled], ['one']));
  });

  it('finds the queues of an application that it does not start, by flag and by package.json', async () => {
    await service.fail('one');
    const app = join(directory, 'app.mjs');
    await writeFile(
      app,
      `import { Bus, rabbitmq } from ${JSON.stringify(INDEX)};
       const bus = new Bus({ service: 'x', prefix: '${service.name}', transport: rabbitmq({ url: process.env.AMQP_URL }) });
       bus.handle('mail.#', () => {}, { queue: '${service.queue}' });
       bus.handle('other', () => {}, { queue: '${service.queue}.not-yet' });
       setInterval(() => {}, 1_000);
       export default () => bus;`,
    );
    const byFlag = await hopline(['failed', '--app', app, '--json'], { url });
    assert.equal(byFlag.code, 0, byFlag.stderr);
    assert.deepEqual(
      JSON.parse(byFlag.stdout).map(({ id }: DeadLetterSummary) => id),
      ['one'],
    );
    assert.match(byFlag.stderr, /^note: .*\.not-yet\.dead not declared yet: 1 left out$/m);
    await writeFile(join(directory, 'package.json'), '{"hopline":{"app":"app.mjs"}}');
    const urlFile = join(directory, 'url');
    await writeFile(urlFile, `${url}\n`);
    const byPackage = await hopline(['failed', '--json', '--url-file', urlFile], { cwd: directory });
    assert.equal(byPackage.code, 0, byPackage.stderr);
    assert.equal(JSON.parse(byPackage.stdout).length, 1);
  });
});

function hasLines(text: string, lines: readonly string[]): void {
  const there = new Set(text.split('\n'));
  for (const line of lines) assert.ok(there.has(line), `no line '${line}' in\n${text}`);
}
