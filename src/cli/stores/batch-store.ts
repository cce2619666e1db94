import type { Command } from 'commander';
import type { BatchStore } from '../../stores/batches.js';
import { PostgresBatches } from '../../stores/postgres/batches.js';
import { connectPostgres } from '../../stores/postgres/connect.js';
import { checkSchema, DEFAULT_SCHEMA } from '../../stores/postgres/schema.js';
import { RedisBatches } from '../../stores/redis/batches.js';
import { connectRedis } from '../../stores/redis/connect.js';
import { fileOf } from '../broker/broker.js';
import type { Terminal } from '../output/terminal.js';
import { UsageError } from '../usage-error.js';
import { type DatabaseFlags, databaseUrlOf, withDatabase } from './database.js';

/**
 * Flags of the batches' store. No flag takes an address itself: it holds a password, and everybody on the
 * machine can read a command line.
 */
export interface BatchStoreFlags extends DatabaseFlags {
  readonly redisUrlFile?: string;
  readonly schema: string;
  readonly keyPrefix: string;
}

/** The store of batches, and its name. */
export interface BatchSession {
  readonly store: BatchStore;
  readonly name: string;
}

export function withBatchStore(command: Command): Command {
  return withDatabase(command)
    .option('--schema <name>', 'the schema of postgresStores()', DEFAULT_SCHEMA)
    .option('--redis-url-file <file>', "file that holds Redis's address; else it is taken from REDIS_URL")
    .option('--key-prefix <name>', 'the keyPrefix of redisStores()', 'hopline');
}

/** Connects for as long as `use` runs. @throws UsageError, StoreConnectError */
export async function atBatches<T>(
  flags: BatchStoreFlags,
  { env }: Terminal,
  use: (session: BatchSession) => Promise<T>,
): Promise<T> {
  const redisUrl = redisUrlOf(flags, env);
  if (redisUrl !== undefined) {
    const { client, name } = await connectRedis(redisUrl);
    try {
      return await use({ store: new RedisBatches(client, flags.keyPrefix), name });
    } finally {
      client.disconnect();
    }
  }
  checkSchema(flags.schema, 'batch');
  const { client, name } = await connectPostgres(databaseUrlOf(flags, env));
  try {
    return await use({ store: new PostgresBatches(client, flags.schema), name });
  } finally {
    await client.end();
  }
}

/** The address of Redis; undefined if the store is PostgreSQL. @throws UsageError */
function redisUrlOf({ redisUrlFile, databaseUrlFile }: BatchStoreFlags, env: NodeJS.ProcessEnv) {
  const given = [redisUrlFile ?? env.REDIS_URL, databaseUrlFile ?? env.DATABASE_URL].filter(Boolean);
  const isOneSaid = (redisUrlFile === undefined) !== (databaseUrlFile === undefined);
  if (given.length === 0) {
    throw new UsageError(
      'no address of the store that the batches are in',
      'Set REDIS_URL or DATABASE_URL, or write it into a file and give --redis-url-file or --database-url-file',
    );
  }
  if (given.length > 1 && !isOneSaid)
    throw new UsageError('the addresses of two stores are given', 'Unset REDIS_URL or DATABASE_URL');
  return databaseUrlFile === undefined ? redisUrlIn({ redisUrlFile }, env) : undefined;
}

/** Reads Redis's address from file or environment; undefined if there is none. @throws UsageError */
export function redisUrlIn(
  { redisUrlFile }: { readonly redisUrlFile?: string | undefined },
  env: NodeJS.ProcessEnv,
): string | undefined {
  const url =
    redisUrlFile === undefined
      ? env.REDIS_URL
      : fileOf(redisUrlFile, '--redis-url-file', 'one address').trim();
  if (!url) return undefined;
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) {
    throw new UsageError(
      'the address of Redis is not redis://… or rediss://…',
      'A special character in the password is written percent-encoded',
    );
  }
  return url;
}
