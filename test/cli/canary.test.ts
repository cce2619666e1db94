import assert from 'node:assert/strict';
import type { Operation } from '../../src/failures/operations/operation.js';
import { rabbitmq } from '../../src/index.js';
import { type Failures, openFailures } from '../../src/operate.js';
import { silentLogger } from '../../src/util/logger.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import { Command, hoplineHere } from './command.js';
import { FailingService } from './service.js';

describe('hopline failed retry --canary', function () {
  this.timeout(60_000);
  let url: string;
  let service: FailingService;
  let failures: Failures;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedBroker()).url;
  });
  beforeEach(async () => {
    service = new FailingService(url);
    await service.start();
    failures = await openFailures({
      ...{ transport: rabbitmq({ url }), queues: [service.queue], prefix: service.name, log: silentLogger },
    });
  });
  afterEach(async () => {
    await failures.close();
    await service.remove();
  });

  const args = (...words: string[]) => [
    'failed',
    ...words,
    '--queue',
    service.queue,
    '--prefix',
    service.name,
  ];
  const failed = (...words: string[]) => hoplineHere(args(...words), { url });
  const operations = async () => JSON.parse((await failed('operations', '--json')).stdout) as Operation[];
  const dead = async () => (await failures.count())[0]?.count;

  async function group(...ids: string[]): Promise<string> {
    await service.fail(...ids);
    const index = failures.index();
    await index.refresh();
    const [found] = await index.groups();
    await index.close();
    return found?.id ?? assert.fail('no group');
  }

  const named = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`);

  it('replays what is mended, one, ten and the rest, and says how far it is', async () => {
    const id = await group(...named(12));
    service.mended = true;
    const { code, stdout, stderr } = await failed('retry', '--group', id, '--canary');
    const handled = 'rest: 12 of 12 replayed, 12 handled, 0 came back\n';
    assert.deepEqual([code, stdout], [0, handled], stderr);
    assert.match(stderr, /^canary [\da-f]{12}: 12 dead letters; stop it by Ctrl-C, or hopline failed stop /);
    assert.equal(service.calls, 12);
    const [listed] = await operations();
    assert.deepEqual([listed?.state, listed?.done, listed?.selection], ['done', 12, { group: id }]);
  });

  it('stops by itself with the first replay that fails as before, and says so by its code', async () => {
    const id = await group(...named(12));
    const { code, stdout, stderr } = await failed('retry', '--group', id, '--canary');
    assert.deepEqual([code, stdout], [1, 'one: 1 of 12 replayed, 0 handled, 1 came back\n'], stderr);
    assert.match(stderr, /\nstopped: the same failure came back: Error: the server says no\n$/);
    await eventually(async () => assert.equal(await dead(), 12));
    const { stdout: table } = await failed('operations');
    assert.match(table, /^ID +WHAT +STATE +BY +SINCE +OF +HOW FAR\n[\da-f]{12} +canary +stopped /);
  });

  it('is stopped by another command, and the letters that have not left stay', async () => {
    const id = await group(...named(20));
    service.mended = true;
    const running = new Command(args('retry', '--group', id, '--canary', '--rate', '2/s'), { url });
    const [its] = await eventually(async () => {
      const all = await operations();
      assert.equal(all[0]?.state, 'running');
      return all;
    });
    const { code, stdout } = await failed('stop', its?.id ?? '');
    assert.deepEqual([code, stdout.split(' ')[0]], [0, its?.id]);
    const ended = await running.ended;
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, /\nstopped: .* stopped it\n$/);
    const [listed] = await operations();
    assert.equal(listed?.state, 'stopped');
    await eventually(async () => assert.equal((await dead()) ?? 0, 20 - (listed?.done ?? 0)));
    await eventually(() => assert.equal(service.handled.size, listed?.done));
    assert.ok((listed?.done ?? 0) < 20);
  });

  it('ends cleanly on Ctrl-C', async () => {
    const id = await group(...named(20));
    service.mended = true;
    const running = new Command(args('retry', '--group', id, '--canary', '--rate', '2/s'), { url });
    await eventually(() => assert.ok(service.handled.size > 11));
    running.child.kill('SIGINT');
    const ended = await running.ended;
    assert.equal(ended.code, 130, ended.stderr);
    assert.match(ended.stderr, /\d+ of 20 replayed, .*, the rest is where it was: it was interrupted/);
    assert.equal((await operations())[0]?.state, 'stopped');
    await eventually(async () => assert.equal((await dead()) ?? 0, 20 - service.handled.size));
  });

  it('whose process is killed is taken on by another, and nothing is lost', async () => {
    const id = await group(...named(20));
    service.mended = true;
    const running = new Command(args('retry', '--group', id, '--canary', '--rate', '2/s'), { url });
    await eventually(() => assert.ok(service.handled.size > 11));
    running.child.kill('SIGKILL');
    await running.ended;
    // What it had not acked is back, and what it had sent is handled: nobody takes its work on so soon.
    const left = await eventually(async () => {
      const count = (await dead()) ?? 0;
      assert.ok(count >= 20 - service.handled.size);
      assert.equal(await service.ready(service.queue), 0);
      return count;
    });
    const before = service.calls;
    const other = failures.operations(failures.index(), { takesOn: true });
    await eventually(() => assert.equal(service.handled.size, 20), { timeout: 40_000 });
    await eventually(async () => assert.equal((await other.list())[0]?.state, 'done'));
    assert.equal(await dead(), 0);
    assert.equal(service.calls, before + left, 'only what had not left was replayed again');
  });

  it('refuses what does not go together, before it connects', async () => {
    for (const words of [
      ['--canary'],
      ['--group', 'g', '--canary', 'id'],
      ['--group', 'g', '--canary', '--grep', 'x'],
      ['--group', 'g', '--canary', '--republish'],
    ]) {
      const { code, stderr } = await failed('retry', ...words);
      assert.equal(code, 2, `${words.join(' ')}: ${stderr}`);
    }
    const { code, stderr } = await failed('retry', '--group', 'none', '--canary');
    assert.match(stderr, /there are no dead letters of this selection/);
    assert.ok(code !== 0);
  });
});
