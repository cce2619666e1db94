import { Redis } from 'ioredis';
import pg from 'pg';
import type { Stores } from '../../src/index.js';
import { postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { redisStores } from '../../src/stores/redis/index.js';
import { durablePostgres } from '../../test/support/postgres.js';
import { type DurableServer, durableRedis } from '../../test/support/redis.js';
import { EFFECTS, type Run } from './run.js';

/** Connections of a worker beside those that its inbox's transactions hold. */
const MORE_CONNECTIONS = 6;

/** Stores of a worker, and the end of their connections. */
export function storesOf({
  store,
  storeUrl,
  name,
  slots,
}: Pick<Run, 'store' | 'storeUrl' | 'name' | 'slots'>): {
  readonly stores: Stores;
  close(): void;
} {
  if (store === 'redis') {
    const client = new Redis(storeUrl, { retryStrategy: () => 100 });
    client.on('error', () => {}); // told by what is asked of it
    return { stores: redisStores({ client, keyPrefix: name }), close: () => client.disconnect() };
  }
  const pool = new pg.Pool({ connectionString: storeUrl, max: slots + MORE_CONNECTIONS });
  pool.on('error', () => {}); // told by what is asked of it
  return { stores: postgresStores({ pool, schema: name }), close: () => void pool.end() };
}

/** What the store has at the end. */
export interface LeasesLeft {
  readonly done: number;
  /** Neither done nor over, nor given back. */
  readonly held: number;
  /** Runs that have written in a transaction, by job. */
  readonly written: readonly { readonly job: number; readonly run: string }[];
}

/** The store of one run, which may be hurt. */
export interface StoreServer extends DurableServer {
  prepare(name: string): Promise<void>;
  left(name: string): Promise<LeasesLeft>;
}

export const startStore = async (kind: Run['store']): Promise<StoreServer> =>
  kind === 'redis' ? withRedis(await durableRedis()) : withPostgres(await durablePostgres());

const withRedis = (server: DurableServer): StoreServer => ({
  ...server,
  prepare: async () => {},
  left: async (name) => {
    const client = new Redis(server.url);
    try {
      const keys = await client.keys(`${name}:lease:*`);
      const values = keys.length > 0 ? await client.mget(keys) : [];
      const states = values.flatMap((value) => (value === null ? [] : [value.split(' ')]));
      const isRunning = (ends = '0') => Number(ends) / 1_000 > Date.now();
      const count = (mark: string) =>
        states.filter(([, ends, state]) => isRunning(ends) && state?.startsWith(mark)).length;
      return { done: count('+'), held: count('='), written: [] };
    } finally {
      client.disconnect();
    }
  },
});

const withPostgres = (server: DurableServer): StoreServer => {
  const connected = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  return {
    ...server,
    prepare: (name) =>
      connected(async (client) => {
        await migrate(client, name);
        await client.query(`CREATE TABLE ${name}.${EFFECTS} (job int, run text)`);
      }),
    left: (name) =>
      connected(async (client) => {
        const leases = await client.query<{ done: boolean; count: number }>(
          `SELECT done, count(*)::int AS count FROM ${name}.leases WHERE until > clock_timestamp() GROUP BY done`,
        );
        const count = (isDone: boolean) => leases.rows.find(({ done }) => done === isDone)?.count ?? 0;
        const { rows } = await client.query<{ job: number; run: string }>(
          `SELECT job, run FROM ${name}.${EFFECTS}`,
        );
        return { done: count(true), held: count(false), written: rows };
      }),
  };
};
