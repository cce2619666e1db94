import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { LeaseAnswer } from '../../src/stores/leases.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { redisStores } from '../../src/stores/redis/index.js';
import type { PermitAnswer } from '../../src/stores/semaphores.js';
import type { Stores } from '../../src/stores/stores.js';
import { systemClock } from '../../src/util/clock.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import { provideRedis, type TestRedis } from '../support/redis.js';

/** Gives another client of the same store with each call, connected. */
export type Open = () => Promise<Stores>;

/** A name or a key that no other test has. */
export const own = () => `${randomBytes(6).toString('hex')}: a name with spaces, ü and :colons:`;

/** The fence of a lease, or of a permit, that has been taken. */
export function fenceOf(answer: LeaseAnswer | PermitAnswer): number {
  assert.ok(answer.kind === 'taken', JSON.stringify(answer));
  assert.ok(Number.isSafeInteger(answer.fence), String(answer.fence));
  return answer.fence;
}

/** Runs one port's contract on every store that there is. */
export function onEveryStore(contract: (name: string, open: Open) => void): void {
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

  contract('memory', async () => memory);
  contract('Redis', async () => {
    const client = new Redis(redis.url, { retryStrategy: () => null });
    client.on('error', () => {}); // told by what is asked of it
    clients.push(client);
    await new Promise<void>((resolve) => client.once('ready', resolve));
    return redisStores({ client, keyPrefix: 'hopline-test' });
  });
  contract('PostgreSQL', async () => postgresStores({ pool: schema.pool(), schema: schema.name }));
  contract('PostgreSQL where transactions are serializable', async () => {
    const pool = schema.pool({ options: '-c default_transaction_isolation=serializable' });
    return postgresStores({ pool, schema: schema.name });
  });
}

/** Nothing waits for a connection that may never be. */
export function refuseWhenRedisIsAway(...asked: ((stores: Stores) => unknown)[]): void {
  it('say so at once when Redis is away', async () => {
    const client = new Redis('redis://127.0.0.1:1', { retryStrategy: () => null });
    client.on('error', () => {}); // told by what is asked of it
    const stores = redisStores({ client });
    for (const ask of asked) await assert.rejects(async () => ask(stores), /Redis connection is not ready/);
    client.disconnect();
  });
}
