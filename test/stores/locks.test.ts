import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { Bus, type Lock, type LockOptions, LockTakenError, memory, type Stores } from '../../src/index.js';
import { postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { redisStores } from '../../src/stores/redis/index.js';
import { silentLogger } from '../../src/util/logger.js';
import { killWorkers, startProcess, type Worker } from '../faults/worker.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import { provideRedis, type TestRedis } from '../support/redis.js';

describe('locks between processes', function () {
  this.timeout(30_000);
  const prefix = `hopline-test-${randomBytes(4).toString('hex')}`;
  let redis: TestRedis;
  let client: Redis;
  let schema: TestSchema;
  let bus: Bus | undefined;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    redis = await provideRedis();
    client = new Redis(redis.url);
    await new Promise<void>((resolve) => client.once('ready', resolve));
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected((connected) => migrate(connected, schema.name));
  });
  afterEach(async () => {
    await killWorkers();
    await bus?.stop();
  });
  after(async () => {
    client?.disconnect();
    await redis?.stop();
    await schema?.drop();
  });

  const places = {
    Redis: () => ({ url: redis.url, own: prefix, stores: redisStores({ client, keyPrefix: prefix }) }),
    PostgreSQL: () => ({
      url: schema.url,
      own: schema.name,
      stores: postgresStores({ pool: schema.pool(), schema: schema.name }),
    }),
  };

  /** A service of this process that takes a lock for as long as `work` goes on. */
  async function locking(stores: Stores, name: string, options: LockOptions, work: (lock: Lock) => unknown) {
    bus = new Bus({ service: 'asker', transport: memory(), stores, log: silentLogger });
    const ended = new Promise<void>((resolve, reject) => {
      bus?.on('handler.succeeded', () => resolve());
      bus?.on('handler.failed', ({ error }) => reject(error));
    });
    bus.handle('ask', async (_payload, context) => work(await context.lock(name, options)), {
      retry: { tries: 1 },
    });
    await bus.start();
    await bus.send('ask', 1);
    await ended;
  }

  /** The fence of the process that holds the lock. */
  const holding = (holder: Worker) =>
    eventually(() => {
      const [held] = holder.said;
      assert.ok(held);
      return Number(held.split(' ')[1]);
    });

  for (const [store, place] of Object.entries(places)) {
    it(`in ${store} are another's when their holder has stood still for their time, not before, and it sees that first when it wakes`, async () => {
      const { url, own, stores } = place();
      const name = randomBytes(6).toString('hex');
      const holder = startProcess('../stores/lock-process.js', url, own, name);
      const fence = await holding(holder);
      await assert.rejects(
        locking(stores, name, {}, () => {}),
        LockTakenError,
      );
      await bus?.stop();
      const from = performance.now();
      holder.process.kill('SIGSTOP');
      await locking(stores, name, { ttl: '10s', wait: '10s' }, async (lock) => {
        // It was renewed four times in 1.5 s.
        assert.ok(performance.now() - from > 600);
        assert.ok(lock.fence > fence);
        holder.process.kill('SIGCONT');
        await eventually(() => assert.equal(holder.said.length, 3));
        assert.deepEqual(holder.said.slice(1).toSorted(), [
          `refused: the lock '${name}' was not renewed in time`,
          `signal: the lock '${name}' was not renewed in time`,
        ]);
        lock.mustBeHeld();
        assert.equal(typeof (await stores.leases?.look(`lock:${name}`)), 'number');
      });
      // The handler's end is told before its lock is given back.
      await eventually(async () => assert.equal(await stores.leases?.look(`lock:${name}`), 'released'));
    });
  }
});
