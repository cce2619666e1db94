import { Redis } from 'ioredis';
import { Bus, rabbitmq } from '../src/index.js';
import { postgresStores } from '../src/stores/postgres/index.js';
import { migrate } from '../src/stores/postgres/migrate.js';
import { redisStores } from '../src/stores/redis/index.js';
import type { Stores } from '../src/stores/stores.js';
import { deferred } from '../src/util/deferred.js';
import { PrivateNode } from '../test/support/broker/index.js';
import { providePostgres } from '../test/support/postgres.js';
import { TestSchema } from '../test/support/postgres-schema.js';
import { provideRedis } from '../test/support/redis.js';

/**
 * `npm run measure:batches`: how many jobs of one batch a second are done, and whether a batch of 100,000 needs more memory than
 * one of 10,000. Broker, stores, and one process that dispatches and handles, all on this machine. Takes a minute or two.
 */

const MIB = 1024;

async function measure(node: PrivateNode, name: string, stores: Stores, jobs: number): Promise<void> {
  const service = `${name}-${jobs}`;
  const bus = new Bus({ service, prefix: service, transport: rabbitmq({ url: node.url }), stores });
  const ended = deferred<void>();
  bus.handle('job', () => {}, { queue: { name: `${service}.jobs`, concurrency: 100 } });
  bus.handle('ended', () => ended.resolve());
  await bus.start();
  function* all() {
    for (let number = 0; number < jobs; number += 1)
      yield { key: 'job', payload: { number, text: 'x'.repeat(250) } };
  }
  const began = performance.now();
  await bus.batch(all()).onEnd({ key: 'ended', payload: {} }).dispatch();
  await ended.promise;
  const seconds = (performance.now() - began) / 1_000;
  await bus.stop();
  // Of the process since it began: it never falls.
  const rss = Math.round(process.resourceUsage().maxRSS / MIB);
  console.log(
    `${name}: ${jobs} jobs in ${seconds.toFixed(1)} s, ${Math.round(jobs / seconds)} a second; ${rss} MiB resident at most`,
  );
}

const node = await PrivateNode.start({ name: 'measure' });
const redis = await provideRedis();
const postgres = await providePostgres();
const client = new Redis(redis.url);
const schema = new TestSchema(postgres.url);
try {
  await schema.connected((connection) => migrate(connection, schema.name));
  const inRedis = redisStores({ client, keyPrefix: schema.name });
  const inPostgres = postgresStores({ pool: schema.pool({ max: 20 }), schema: schema.name });
  await measure(node, 'redis', inRedis, 10_000);
  await measure(node, 'redis', inRedis, 100_000);
  await measure(node, 'postgres', inPostgres, 10_000);
} finally {
  client.disconnect();
  await schema.endPools();
  await schema.drop();
  await postgres.stop();
  await redis.stop();
  await node.stop();
}
