import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { StoreTimeoutError } from '../../src/stores/index.js';
import { RedisBatches } from '../../src/stores/redis/batches.js';
import { RedisJobs } from '../../src/stores/redis/jobs.js';
import { RedisLeases } from '../../src/stores/redis/leases.js';
import { RedisScripts } from '../../src/stores/redis/scripts.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { provideRedis, type TestRedis } from '../support/redis.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { overdueIn } from './overdue.js';

describe('stores in Redis', () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  let client: Redis;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    redis = await provideRedis();
    const { hostname, port } = new URL(redis.url);
    proxy = await TcpProxy.start({ host: hostname, port: Number(port || 6379) });
    client = new Redis(proxy.port, '127.0.0.1', { retryStrategy: () => null });
    client.on('error', () => {}); // told by what is asked of it
    await new Promise<void>((resolve) => client.once('ready', resolve));
  });
  after(async () => {
    client?.disconnect();
    await proxy?.close();
    await redis?.stop();
  });

  it('say so in time when Redis is mute', async () => {
    const scripts = new RedisScripts(client, 'hopline-test', 100);
    assert.equal(await scripts.run('return ARGV[1]', 'any', 'heard'), 'heard');
    proxy.stall('broker-to-client');
    try {
      await assert.rejects(scripts.run('return 1', 'any'), (error) => {
        assert.ok(error instanceof StoreTimeoutError);
        assert.match(error.message, /^Redis did not answer within 100 ms$/);
        return true;
      });
    } finally {
      proxy.resume();
    }
    assert.equal(await scripts.run('return 1', 'any'), 1);
  });

  it('keep what finds a job as long as its record, and the payload no longer than it can be sent', async () => {
    const prefix = `hopline-test-${randomUUID()}`;
    const key = (name: string) => `${prefix}:{jobs}:${name}`;
    const jobs = new RedisJobs(client, prefix);
    const dayMs = 86_400_000;
    const sent = { tags: ['order:7'], service: 'shop', routingKey: 'a.b', sentAt: Date.now() };
    const job = { ...sent, id: 'one', name: 'report', dueAt: undefined, keepMs: 300 * dayMs, message: '{}' };
    const days = async (name: string) => Math.round((await client.pttl(key(name))) / dayMs);
    await jobs.add([job]);
    assert.equal(await days('tag:order:7'), 330);
    await jobs.reserve('one', Date.now() + 60 * dayMs);
    assert.deepEqual(
      [await days('job:one'), await days('name:report'), await days('tag:order:7')],
      [90, 90, 390],
    );
    await jobs.move('one', 2, Date.now() + 100 * dayMs);
    assert.deepEqual([await days('name:report'), await days('tag:order:7')], [130, 430]);
    const begin = { id: 'one', version: 2, queue: 'q', handler: 'h', attempt: 1, at: Date.now() };
    await jobs.begin([{ ...begin, run: 'a', host: 'b', pid: 1 }]);
    await jobs.pause([{ id: 'one', run: 'a', dueAt: Date.now() + 200 * dayMs, error: undefined }]);
    assert.deepEqual([await days('name:report'), await days('tag:order:7')], [230, 530]);
    await jobs.end([{ ...begin, state: 'dead-lettered' }]);
    assert.equal(await client.get(key('message:one')), '{}');
    assert.equal(await days('message:one'), await days('job:one'));
    await jobs.end([{ ...begin, state: 'done' }]);
    assert.equal(await client.exists(key('message:one')), 0);
    await jobs.add([{ ...job, id: 'two' }]);
    await jobs.cancel('two', Date.now());
    assert.equal(await client.exists(key('message:two')), 0);
  });

  it('forget named jobs whose records are gone, though nobody asks what is scheduled', async () => {
    const prefix = `hopline-test-${randomUUID()}`;
    const jobs = new RedisJobs(client, prefix);
    const sent = { tags: [], service: 'shop', routingKey: 'a.b', dueAt: undefined, keepMs: 1 };
    const add = (id: string) => jobs.add([{ ...sent, id, name: id, sentAt: Date.now(), message: '{}' }]);
    await add('lost');
    await client.del(`${prefix}:{jobs}:job:lost`);
    await add('next');
    assert.deepEqual(await client.zrange(`${prefix}:{jobs}:named`, 0, '-1'), ['next']);
  });

  it('forget runs of jobs whose records are gone, though nobody asks what runs', async () => {
    const prefix = `hopline-test-${randomUUID()}`;
    const jobs = new RedisJobs(client, prefix);
    const sent = { name: undefined, tags: [], service: 'shop', routingKey: 'a.b', message: undefined };
    const add = (id: string) => jobs.add([{ ...sent, id, sentAt: Date.now(), dueAt: undefined, keepMs: 1 }]);
    const begin = { version: 1, queue: 'q', handler: 'h', attempt: 1, run: 'a', host: 'b', pid: 1 };
    const runs = () => client.hkeys(`${prefix}:{jobs}:runs`);
    await add('lost');
    await jobs.begin([{ ...begin, id: 'lost', at: Date.now() }]);
    assert.deepEqual(await runs(), ['lost']);
    await client.del(`${prefix}:{jobs}:job:lost`);
    await add('next');
    assert.deepEqual(await runs(), []);
  });

  it('take jobs with halves of characters, and more jobs than a script does at once', async () => {
    const jobs = new RedisJobs(client, `hopline-test-${randomUUID()}`);
    const sent = { name: undefined, tags: [], dueAt: undefined, keepMs: 1_000, message: undefined };
    const texts = { service: 'half \ud83d, whole \u{1f600}', routingKey: String.raw`escaped \ud83d` };
    const ids = Array.from({ length: 1_001 }, () => randomUUID());
    const answers = await jobs.add(ids.map((id) => ({ ...sent, ...texts, id, sentAt: Date.now() })));
    assert.deepEqual([answers.length, new Set(answers)], [1_001, new Set(['added'])]);
    assert.deepEqual(await jobs.add([{ ...sent, ...texts, id: ids[1_000] as string, sentAt: 0 }]), ['known']);
    const found = await jobs.find(ids);
    assert.deepEqual(
      found.map((job) => job?.id),
      ids,
    );
    assert.equal(found[1_000]?.service, 'half \ufffd, whole \u{1f600}');
    assert.equal(found[1_000]?.routingKey, texts.routingKey);
  });

  it('say so in time of batches, too, whatever is asked', async () => {
    const batches = new RedisBatches(client, 'hopline-test', 100);
    const batch = {
      id: 'any',
      name: 'any',
      service: 'any',
      allowsFailures: false,
      notifications: '{}',
      keepMs: 1_000,
    };
    const asked = [
      () => batches.open(batch),
      () => batches.begin('any', 0),
      () => batches.notifications('any'),
      () => batches.find('any'),
      () => batches.list(1),
    ];
    await batches.open(batch);
    proxy.stall('broker-to-client');
    try {
      await Promise.all(asked.map((ask) => assert.rejects(ask, StoreTimeoutError)));
    } finally {
      proxy.resume();
    }
    assert.equal((await batches.find('any'))?.id, 'any');
  });

  it('run a script that the server does not know, and one that it knows', async () => {
    const scripts = new RedisScripts(client, 'hopline-test');
    const script = `return ARGV[1] .. '${randomUUID()}'`;
    const digest = createHash('sha1').update(script).digest('hex');
    assert.deepEqual(await client.script('EXISTS', digest), [0]);
    const first = await scripts.run(script, 'any', 'heard');
    assert.deepEqual(await client.script('EXISTS', digest), [1]);
    assert.equal(await scripts.run(script, 'any', 'heard'), first);
    const failing = `return redis.call('GET')`;
    await assert.rejects(scripts.run(failing, 'any'), /Wrong number of args/);
    await assert.rejects(scripts.run(failing, 'any'), /Wrong number of args/);
  });

  it('give higher fences when a name is forgotten, and when their clock is behind one that it knows', async () => {
    const prefix = `hopline-test-${randomUUID()}`;
    const leases = new RedisLeases(client, prefix);
    const fenceOf = async (owner: string) => {
      const answer = await leases.take('l', owner, 30_000);
      assert.equal(answer.kind, 'taken');
      return (answer as { fence: number }).fence;
    };
    const first = await fenceOf('a');
    await client.del(`${prefix}:l`);
    const second = await fenceOf('b');
    assert.ok(second > first && second > Date.now() * 1_000 - 60_000_000, `${second} after ${first}`);
    // As a replica takes over whose clock is behind: what it knows was given later than now.
    const later = second + 60_000_001;
    await client.set(`${prefix}:l`, `${later} 0 -`, 'PX', 60_000);
    assert.equal(await fenceOf('c'), later + 1);
    assert.ok((await client.pttl(`${prefix}:l`)) > 30_000, 'it is known for longer than it is held');
  });

  it('find batches of a service of which something is overdue', async () => {
    const prefix = `hopline-test-${randomUUID()}`;
    const batches = new RedisBatches(client, prefix);
    await overdueIn(batches, async (id, field) => {
      await client.hincrby(
        `${prefix}:batch:{${id}}`,
        field === 'verdict_at' ? 'verdictAt' : 'finallyAt',
        -31_000,
      );
    });
    assert.deepEqual((await client.smembers(`${prefix}:batches:open:mailer`)).sort(), [
      'cancelled',
      'fresh',
      'running',
    ]);
  });

  it('keep no list of batches that are gone, though older ones live', async () => {
    const prefix = `hopline-test-${randomUUID()}`;
    const batches = new RedisBatches(client, prefix);
    const open = (name: string, count: number, keepMs: number) =>
      Promise.all(
        Array.from({ length: count }, (_none, index) =>
          batches.open({
            id: `${name} ${index}`,
            name,
            service: 'any',
            allowsFailures: false,
            notifications: '{}',
            keepMs,
          }),
        ),
      );
    await open('old', 10, 60_000);
    await open('gone', 200, 20);
    await eventually(async () => assert.equal(await batches.find('gone 199'), undefined), { interval: 10 });
    await open('new', 200, 60_000);
    const length = await client.zcard(`${prefix}:batches`);
    assert.ok(length < 310, `${length} names of 210 batches`);
    const newest = await batches.list(205);
    assert.deepEqual(
      [200, 5],
      ['new', 'old'].map((name) => newest.filter((each) => each.name === name).length),
    );
  });
});
