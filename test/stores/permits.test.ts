import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { memoryStores } from '../../src/stores/memory/index.js';
import type { PermitStore } from '../../src/stores/permits.js';
import { postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { redisStores } from '../../src/stores/redis/index.js';
import { systemClock } from '../../src/util/clock.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import { provideRedis, type TestRedis } from '../support/redis.js';

/** What every store of permits does; `open` gives another client of the same store with each call. */
function permitContract(name: string, open: () => PermitStore): void {
  describe(`permits in ${name}`, () => {
    const own = () => `${randomBytes(6).toString('hex')}: a name with spaces, ü and :colons:`;
    const openMany = async () => {
      const stores = Array.from({ length: 20 }, open);
      await Promise.all(stores.map((store) => store.take(own(), 1))); // connected
      return stores;
    };
    const someHasIt = (answers: readonly number[]) => answers.includes(0) && answers;

    it('are had by one at a time, and by nobody else until their time is over', async () => {
      const [one, other] = [open(), open()];
      const permit = own();
      const from = performance.now(); // the store begins to count after this, and before it has answered
      assert.equal(await one.take(permit, 1), 0);
      const waitMs = await other.take(permit, 1);
      assert.ok(waitMs > 800 && waitMs <= 1_000, `${waitMs} ms`);
      assert.ok((await one.take(permit, 1)) > 0, 'who has it can not take it again either');
      await eventually(async () => assert.equal(await other.take(permit, 1), 0), { interval: 5 });
      const lasted = performance.now() - from;
      assert.ok(lasted >= 990 && lasted < 2_000, `it came back after ${lasted} ms`);
    });

    it('are had by one of many who ask at once', async () => {
      const all = await openMany();
      for (let round = 0; round < 10; round += 1) {
        const permit = own();
        const answers = await Promise.all(all.map((store) => store.take(permit, 30)));
        const others = answers.filter((waitMs) => waitMs !== 0);
        assert.equal(others.length, all.length - 1);
        assert.ok(
          others.every((waitMs) => waitMs > 20_000 && waitMs <= 30_000),
          `${others}`,
        );
      }
    });

    it('come back to one of many who ask at once', async () => {
      const all = await openMany();
      const permit = own();
      assert.equal(await open().take(permit, 1), 0);
      const ask = () => Promise.all(all.map((store) => store.take(permit, 30)));
      const answers = await eventually(() => ask().then(someHasIt), { interval: 1 });
      const others = answers.filter((waitMs) => waitMs !== 0);
      assert.equal(others.length, all.length - 1);
      assert.ok(
        others.every((waitMs) => waitMs > 0 && waitMs <= 30_000),
        `${others}`,
      );
    });

    it('know nothing of each other', async () => {
      const store = open();
      const permit = own();
      assert.equal(await store.take(`${permit} a`, 30), 0);
      assert.equal(await store.take(`${permit} b`, 30), 0);
    });

    it('have names of any length and any characters', async () => {
      for (const permit of [`${own()} ${'x'.repeat(10_000)}`, `${own()} \0 and more`]) {
        assert.equal(await open().take(permit, 30), 0);
        assert.ok((await open().take(permit, 30)) > 29_000);
        assert.equal(await open().take(`${permit}!`, 30), 0, 'another one');
      }
    });
  });
}

describe('stores', () => {
  let redis: TestRedis;
  let schema: TestSchema;
  const clients: Redis[] = [];
  const memory = memoryStores(systemClock);

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    redis = await provideRedis();
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected((client) => migrate(client, schema.name));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect();
    await schema?.endPools();
  });
  after(async () => {
    await redis?.stop();
    await schema?.drop();
  });

  const client = (url = redis.url) => {
    const made = new Redis(url, { retryStrategy: () => null, lazyConnect: false });
    made.on('error', () => {}); // told by what is asked of it
    clients.push(made);
    return made;
  };

  permitContract('memory', () => memory.permits);
  permitContract('Redis', () => whenReady(client()));
  permitContract('PostgreSQL', () => postgresStores({ pool: schema.pool(), schema: schema.name }).permits);
  permitContract('PostgreSQL where transactions are serializable', () => {
    const pool = schema.pool({ options: '-c default_transaction_isolation=serializable' });
    return postgresStores({ pool, schema: schema.name }).permits;
  });

  it('say so at once when Redis is away', async () => {
    const { permits } = redisStores({ client: client('redis://127.0.0.1:1') });
    await assert.rejects(permits.take('any', 1), /Redis connection is not ready/);
  });
});

/** Asks once the client is connected: what is refused before that is another test's. */
function whenReady(client: Redis): PermitStore {
  const ready = new Promise<void>((resolve) => client.once('ready', resolve));
  const { permits } = redisStores({ client, keyPrefix: 'hopline-test' });
  return { take: (name, seconds) => ready.then(() => permits.take(name, seconds)) };
}
