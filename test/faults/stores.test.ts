import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { type Bus, NotUniqueError, type Stores } from '../../src/index.js';
import { redisStores } from '../../src/stores/redis/index.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { provideRedis, type TestRedis } from '../support/redis.js';
import { faultBus, stopAll, uniqueName } from './fixture.js';
import { killWorkers, startProcess } from './worker.js';

describe('services with stores', function () {
  this.timeout(60_000);
  let node: PrivateNode;
  let redis: TestRedis;
  let client: Redis;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
    redis = await provideRedis();
    client = new Redis(redis.url);
    await new Promise<void>((resolve) => client.once('ready', resolve));
  });
  afterEach(async () => {
    await killWorkers();
    await stopAll();
  });
  after(async () => {
    client?.disconnect();
    await redis?.stop();
  });

  const start = (behaviour: string, prefix: string) =>
    startProcess('./store-process.js', behaviour, node.url, prefix, redis.url);
  const storesOf = (prefix: string): Stores => redisStores({ client, keyPrefix: prefix });

  async function sender(prefix: string): Promise<Bus> {
    const { bus } = faultBus(node.url, { service: uniqueName('sender'), prefix, stores: storesOf(prefix) });
    await bus.start();
    return bus;
  }

  const unique = { key: 'k', for: '1d' } as const;

  it('that die between taking a key and publishing leave it taken no longer than the publish may take', async () => {
    const prefix = uniqueName('prefix');
    const worker = start('handles', prefix);
    await eventually(() => worker.said.includes('started'));
    const bus = await sender(prefix);
    const dying = start('dies in a send', prefix);
    assert.equal(await dying.end, 'SIGKILL');
    const refusal = await bus.send('work', 2, { unique }).catch((error) => error);
    assert.ok(refusal instanceof NotUniqueError, String(refusal));
    assert.equal(refusal.holder, 'dead');
    const from = performance.now();
    await eventually(() => bus.send('work', 3, { unique }).then(() => true), { timeout: 10_000 });
    assert.ok(performance.now() - from < 6_000);
    await eventually(() => assert.equal(worker.said.filter((what) => what === 'began').length, 1));
  });

  it('that die while they handle leave the key to their message, and no part to do again; whoever handles it then gives the key back', async () => {
    const prefix = uniqueName('prefix');
    const dying = start('dies while it handles', prefix);
    await eventually(() => dying.said.includes('started'));
    const bus = await sender(prefix);
    await bus.send('work', 1, { unique, messageId: 'first' });
    assert.equal(await dying.end, 'SIGKILL');
    await assert.rejects(
      bus.send('work', 2, { unique }),
      (error) => error instanceof NotUniqueError && error.holder === 'first',
    );
    const heir = start('handles', prefix);
    await eventually(() => heir.said.includes('began again'));
    const parts = [...dying.said, ...heir.said].filter((what) => what.startsWith('part'));
    assert.equal(parts.length, 1, parts.join());
    await eventually(() => bus.send('work', 3, { unique }).then(() => true));
    await eventually(() => heir.said.includes('began'));
  });
});
