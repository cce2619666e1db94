import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Pool, PoolClient } from 'pg';
import { postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { redisStores } from '../../src/stores/redis/index.js';
import type { Stores } from '../../src/stores/stores.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import { provideRedis, type TestRedis } from '../support/redis.js';

/** Stores that are there, and take nothing until they are told to. */
export interface UnwritableStores {
  readonly stores: Stores;
  allowWrites(): Promise<void>;
}

/**
 * As a demoted primary or a full Redis is for who uses it: it answers whoever reads, and refuses whoever writes. In PostgreSQL
 * each transaction is read-only, in Redis the user may read only.
 */
export function onStoresThatCantBeWritten(
  each: (name: string, open: () => Promise<UnwritableStores>) => void,
): void {
  let redis: TestRedis;
  let owner: Redis;
  let schema: TestSchema;
  const user = `hopline-test-${randomBytes(4).toString('hex')}`;
  const clients: Redis[] = [];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    redis = await provideRedis();
    owner = await connected(redis.url);
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected((client) => migrate(client, schema.name));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect();
    await schema?.endPools();
  });
  after(async () => {
    await owner?.call('ACL', 'DELUSER', user);
    owner?.disconnect();
    await redis?.stop();
    await schema?.drop();
  });

  each('Redis', async () => {
    await owner.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all', '-@write');
    const url = new URL(redis.url);
    [url.username, url.password] = [user, 'secret'];
    const client = await connected(url.href);
    clients.push(client);
    return {
      stores: redisStores({ client, keyPrefix: user }),
      allowWrites: async () => void (await owner.call('ACL', 'SETUSER', user, '+@all')),
    };
  });
  each('PostgreSQL', async () => {
    let current = schema.pool({ options: '-c default_transaction_read_only=on' });
    const pool = {
      query: (text: string, values: unknown[]) => current.query(text, values),
      connect: (done: (error: Error | undefined, client: PoolClient | undefined) => void) =>
        current.connect(done),
    } as Pool;
    return {
      stores: postgresStores({ pool, schema: schema.name }),
      allowWrites: async () => {
        current = schema.pool();
      },
    };
  });
}

async function connected(url: string): Promise<Redis> {
  const client = new Redis(url, { retryStrategy: () => null });
  client.on('error', () => {}); // told by what is asked of it
  await new Promise<void>((resolve) => client.once('ready', resolve));
  return client;
}
