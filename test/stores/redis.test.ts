import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { StoreTimeoutError } from '../../src/stores/redis/index.js';
import { RedisScripts } from '../../src/stores/redis/scripts.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { provideRedis, type TestRedis } from '../support/redis.js';
import { TcpProxy } from '../support/tcp-proxy.js';

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
});
