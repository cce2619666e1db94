import type { DashboardStores } from '../../dashboard/index.js';
import { errorText } from '../../util/text/error-text.js';
import type { Terminal } from '../output/terminal.js';
import { databaseUrlOf } from '../stores/database.js';
import { redisUrlIn } from '../stores/shared-stores.js';
import type { DashboardFlags } from './flags.js';

/** The stores of the application, while they are open. */
export interface OpenStores {
  readonly stores: DashboardStores | undefined;
  close(): Promise<void>;
}

const NONE: OpenStores = { stores: undefined, close: async () => {} };

/**
 * The stores whose addresses are given. Those of the environment may be another program's: what can't be opened is told, and not
 * shown.
 */
export async function storesOf(flags: DashboardFlags, terminal: Terminal): Promise<OpenStores> {
  const { env } = terminal;
  const redisUrl = redisUrlIn(flags, env);
  const hasDatabase = flags.databaseUrlFile !== undefined || Boolean(env.DATABASE_URL);
  const redis =
    redisUrl === undefined ? NONE : await tried('Redis', terminal, () => ofRedis(redisUrl, flags));
  const database = hasDatabase ? await tried('PostgreSQL', terminal, () => ofPostgres(flags, env)) : NONE;
  const stores = { ...database.stores, ...redis.stores };
  return {
    stores: Object.keys(stores).length === 0 ? undefined : stores,
    close: async () => void (await Promise.all([redis.close(), database.close()])),
  };
}

async function tried(what: string, terminal: Terminal, open: () => Promise<OpenStores>): Promise<OpenStores> {
  try {
    return await open();
  } catch (error) {
    terminal.tell(`warning: the stores in ${what} are not shown: ${errorText(error)}`);
    return NONE;
  }
}

async function ofRedis(url: string, { keyPrefix }: DashboardFlags): Promise<OpenStores> {
  const { connectRedis } = await import('../../stores/redis/connect.js');
  const { redisStores } = await import('../../stores/redis/index.js');
  const { client } = await connectRedis(url);
  const { batches, jobs } = redisStores({ client, keyPrefix });
  return {
    stores: { ...(batches ? { batches } : {}), ...(jobs ? { jobs } : {}) },
    close: async () => client.disconnect(),
  };
}

async function ofPostgres(flags: DashboardFlags, env: NodeJS.ProcessEnv): Promise<OpenStores> {
  const { poolOf } = await import('../../stores/postgres/connect.js');
  const { postgresStores } = await import('../../stores/postgres/index.js');
  const { checkSchema } = await import('../../stores/postgres/schema.js');
  checkSchema(flags.schema, 'dashboard');
  const { pool } = await poolOf(databaseUrlOf(flags, env));
  const { jobs, batches, outbox } = postgresStores({ pool, schema: flags.schema });
  return {
    stores: { jobs, batches, outbox },
    close: () => pool.end(),
  };
}
