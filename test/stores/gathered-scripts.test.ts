import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { StoreTimeoutError } from '../../src/stores/index.js';
import { GatheredScripts } from '../../src/stores/redis/gathered-scripts.js';
import type { GatheredScript } from '../../src/stores/redis/gathered-source.js';
import { redisStores } from '../../src/stores/redis/index.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { durableRedis, provideRedis, type TestRedis } from '../support/redis.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const PUT: GatheredScript = {
  ...{ keys: 1, values: 1 },
  source: `
redis.call('RPUSH', KEYS[1], ARGV[1])
return redis.call('LRANGE', KEYS[1], 0, -1)`,
};
const NAMES: GatheredScript = { keys: 2, values: 0, source: `return { KEYS[1], KEYS[2], #ARGV }` };
const NOTHING: GatheredScript = {
  keys: 1,
  values: 0,
  source: `if redis.call('EXISTS', KEYS[1]) == 5 then return 1 end`,
};
const FIRST: GatheredScript = {
  keys: 1,
  values: 0,
  isFirst: true,
  source: `return redis.call('DEL', KEYS[1])`,
};
const WRONG: GatheredScript = { keys: 1, values: 0, source: `return KEYS[1].nothing.at_all` };

describe('scripts of one turn in Redis', () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  let client: Redis;
  let sent: string[];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    redis = await provideRedis();
    const { hostname, port } = new URL(redis.url);
    proxy = await TcpProxy.start({ host: hostname, port: Number(port || 6379) });
    client = new Redis(proxy.port, '127.0.0.1', { retryStrategy: () => null });
    client.on('error', () => {}); // told by what is asked of it
    await new Promise<void>((resolve) => client.once('ready', resolve));
    const send = client.sendCommand.bind(client);
    client.sendCommand = (command, ...rest) => {
      sent.push(command.name);
      return send(command, ...rest);
    };
  });
  after(async () => {
    client?.disconnect();
    await proxy?.close();
    await redis?.stop();
  });
  const open = async (answerWithinMs?: number) => {
    const prefix = `hopline-test-${randomUUID()}`;
    const scripts = new GatheredScripts(client, prefix, [PUT, NAMES, NOTHING, FIRST, WRONG], answerWithinMs);
    // The server knows both texts from here on.
    sent = [];
    await Promise.all([scripts.run(PUT, 'known', 'a'), scripts.run(PUT, 'known', 'b')]);
    await scripts.run(PUT, 'known', 'c');
    sent = [];
    return { scripts, prefix };
  };

  it('go in one call, and each has its own keys, values and answer', async () => {
    const { scripts, prefix } = await open();
    const answers = await Promise.all([
      scripts.run(PUT, 'list', 'a'),
      scripts.runOn(['x', 'y'], NAMES),
      scripts.run(NOTHING, 'list'),
      scripts.run(PUT, 'list', 'b'),
    ]);
    assert.deepEqual(answers, [['a'], [`${prefix}:x`, `${prefix}:y`, 0], null, ['a', 'b']]);
    assert.deepEqual(sent, ['evalsha']);
  });

  it('let what gives back go first, and answer each in its place', async () => {
    const { scripts } = await open();
    await scripts.run(PUT, 'list', 'before');
    const answers = await Promise.all([scripts.run(PUT, 'list', 'a'), scripts.run(FIRST, 'list')]);
    assert.deepEqual(answers, [['a'], 1]);
  });

  it('fail one by one: an error is that of its own, and the others are done, once', async () => {
    const { scripts, prefix } = await open();
    await client.set(`${prefix}:text`, 'no list');
    sent = [];
    const [one, wrong, broken, two] = await Promise.allSettled([
      scripts.run(PUT, 'list', 'a'),
      scripts.run(PUT, 'text', 'b'),
      scripts.run(WRONG, 'any'),
      scripts.run(PUT, 'list', 'c'),
    ]);
    assert.deepEqual(
      [one, two].map((each) => each?.status === 'fulfilled' && each.value),
      [['a'], ['a', 'c']],
    );
    assert.match(String(wrong?.status === 'rejected' && wrong.reason), /^ReplyError: WRONGTYPE/);
    assert.match(String(broken?.status === 'rejected' && broken.reason), /^ReplyError: ERR .*nothing/);
    assert.deepEqual(sent, ['evalsha']);
  });

  it('are asked for one by one when the server refuses the call, and only whose fault it is are refused', async () => {
    const { scripts, prefix } = await open();
    const user = `u${randomUUID()}`;
    await client.call('ACL', 'SETUSER', user, 'on', '>secret', '+@all', `~${prefix}:mine*`);
    const other = new Redis(redis.url, { username: user, password: 'secret' });
    try {
      await new Promise<void>((resolve) => other.once('ready', resolve));
      const restricted = new GatheredScripts(other, prefix, [PUT]);
      const [mine, theirs, again] = await Promise.allSettled([
        restricted.run(PUT, 'mine', 'a'),
        restricted.run(PUT, 'theirs', 'b'),
        restricted.run(PUT, 'mine too', 'c'),
      ]);
      assert.deepEqual(
        [mine, again].map((each) => each?.status === 'fulfilled' && each.value),
        [['a'], ['c']],
      );
      assert.match(String(theirs?.status === 'rejected' && theirs.reason), /NOPERM/);
      assert.equal(await client.exists(`${prefix}:theirs`), 0);
    } finally {
      other.disconnect();
      await client.call('ACL', 'DELUSER', user);
    }
    assert.deepEqual(await scripts.run(PUT, 'mine', 'd'), ['a', 'd']);
  });

  it('are refused so that the client sees it when the master has become a replica, and are then asked for anew', async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    const demoted = await durableRedis();
    const operator = new Redis(demoted.url);
    let refusals = 0;
    const other = new Redis(demoted.url, {
      reconnectOnError: (error) => {
        if (!error.message.startsWith('READONLY')) return false;
        refusals += 1;
        void operator.call('REPLICAOF', 'NO', 'ONE');
        return 2; // connect again, and send it again
      },
    });
    try {
      await new Promise<void>((resolve) => other.once('ready', resolve));
      const scripts = new GatheredScripts(other, 'hopline-test', [PUT, NOTHING]);
      await Promise.all([scripts.run(PUT, 'list', 'a'), scripts.run(PUT, 'list', 'b')]);
      await operator.call('REPLICAOF', '127.0.0.1', '1');
      const answers = await Promise.all([
        scripts.run(NOTHING, 'list'),
        scripts.run(PUT, 'list', 'c'),
        scripts.run(PUT, 'list', 'd'),
      ]);
      assert.deepEqual(answers, [null, ['a', 'b', 'c'], ['a', 'b', 'c', 'd']]);
      assert.ok(refusals > 0);
    } finally {
      other.disconnect();
      operator.disconnect();
      await demoted.stop();
    }
  });

  it('go as they are when there is one, and are at most so many in a call', async () => {
    const { scripts } = await open();
    await scripts.run(PUT, 'list', 'a');
    assert.deepEqual(sent, ['evalsha']);
    await Promise.all(Array.from({ length: 450 }, (_, index) => scripts.run(PUT, `list ${index}`, 'a')));
    assert.deepEqual(sent.length, 1 + 3);
  });

  it('go on when the server has forgotten its scripts', async () => {
    const { scripts } = await open();
    await client.script('FLUSH');
    const answers = await Promise.all([scripts.run(PUT, 'list', 'a'), scripts.run(PUT, 'list', 'b')]);
    assert.deepEqual(answers, [['a'], ['a', 'b']]);
    await client.script('FLUSH');
    assert.deepEqual(await scripts.run(PUT, 'list', 'c'), ['a', 'b', 'c']);
  });

  it('all say so in time when Redis is mute', async () => {
    const { scripts } = await open(100);
    proxy.stall('broker-to-client');
    try {
      const answers = await Promise.allSettled([scripts.run(PUT, 'a', 'a'), scripts.run(PUT, 'b', 'b')]);
      for (const answer of answers)
        assert.ok(answer.status === 'rejected' && answer.reason instanceof StoreTimeoutError);
    } finally {
      proxy.resume();
    }
  });

  it('go each by itself to a cluster, whose keys are in many slots', async () => {
    const { prefix } = await open();
    Object.defineProperty(client, 'isCluster', { value: true, configurable: true });
    try {
      const { idempotency } = redisStores({ client, keyPrefix: prefix });
      sent = [];
      const claims = ['a', 'b', 'c'].map((key) => idempotency?.claim(key, 'me', 1_000));
      assert.deepEqual(await Promise.all(claims), ['claimed', 'claimed', 'claimed']);
      assert.equal(sent.filter((name) => name === 'evalsha').length, 3);
    } finally {
      Object.defineProperty(client, 'isCluster', { value: false, configurable: true });
    }
  });
});
