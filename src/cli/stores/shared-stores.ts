import type { Command } from 'commander';
import { poolOf } from '../../stores/postgres/connect.js';
import { postgresStores } from '../../stores/postgres/index.js';
import { checkSchema, DEFAULT_SCHEMA } from '../../stores/postgres/schema.js';
import { connectRedis } from '../../stores/redis/connect.js';
import { redisStores } from '../../stores/redis/index.js';
import type { Stores } from '../../stores/stores.js';
import { reasonText } from '../../util/text/error-text.js';
import { fileOf } from '../broker/broker.js';
import type { Terminal } from '../output/terminal.js';
import { UsageError } from '../usage-error.js';
import { type DatabaseFlags, databaseUrlOf, withDatabase } from './database.js';

/**
 * Flags of the application's stores. No flag takes an address itself: it holds a password, and everybody on the
 * machine can read a command line.
 */
export interface StoreFlags extends DatabaseFlags {
  readonly redisUrlFile?: string;
  readonly schema: string;
  readonly keyPrefix: string;
}

/** Stores of one kind, and the name of the server that has them, without credentials. */
export interface OpenedStores {
  readonly stores: Stores;
  readonly name: string;
}

export function withStores(command: Command): Command {
  return withDatabase(command)
    .option('--schema <name>', 'the schema of postgresStores()', DEFAULT_SCHEMA)
    .option('--redis-url-file <file>', "file that holds Redis's address; else it is taken from REDIS_URL")
    .option('--key-prefix <name>', 'the keyPrefix of redisStores()', 'hopline');
}

/**
 * Connects to the one store whose address is given, for as long as `use` runs.
 *
 * @param what what is in it, for the error: `batches`
 * @throws UsageError, StoreConnectError
 */
export async function atStores<T>(
  flags: StoreFlags,
  { env }: Terminal,
  what: string,
  use: (opened: OpenedStores) => Promise<T>,
): Promise<T> {
  const redisUrl = redisUrlOf(flags, env, what);
  if (redisUrl !== undefined) return atRedis(redisUrl, flags, use);
  checkSchema(flags.schema, what);
  return atPostgres(databaseUrlOf(flags, env), flags, use);
}

/** What was found in the stores, and why some of them could not be asked. */
export interface Found<T> {
  readonly found: T | undefined;
  readonly problems: readonly string[];
}

/**
 * Asks all stores whose addresses are given, one after the other, until something is found. Those of the environment may be another
 * program's: that they can't be asked is no error.
 *
 * @throws UsageError; for a store that a flag names, StoreConnectError and the errors of its client
 */
export async function findInStores<T>(
  flags: StoreFlags,
  { env }: Terminal,
  use: (opened: OpenedStores) => Promise<T | undefined>,
): Promise<Found<T>> {
  const redisUrl = redisUrlIn(flags, env);
  const hasDatabase = Boolean(flags.databaseUrlFile ?? env.DATABASE_URL);
  const all = [
    ...(redisUrl === undefined
      ? []
      : [{ isNamed: flags.redisUrlFile !== undefined, ask: () => atRedis(redisUrl, flags, use) }]),
    ...(hasDatabase
      ? [
          {
            isNamed: flags.databaseUrlFile !== undefined,
            ask: () => atPostgres(databaseUrlOf(flags, env), flags, use),
          },
        ]
      : []),
  ];
  checkSchema(flags.schema, 'stores');
  const problems: string[] = [];
  for (const { isNamed, ask } of all) {
    const found = await ask().catch((error) => {
      if (isNamed) throw error;
      problems.push(reasonText(error));
      return undefined;
    });
    if (found !== undefined) return { found, problems };
  }
  return { found: undefined, problems };
}

async function atRedis<T>(
  url: string,
  { keyPrefix }: StoreFlags,
  use: (opened: OpenedStores) => Promise<T>,
): Promise<T> {
  const { client, name } = await connectRedis(url);
  try {
    return await use({ stores: redisStores({ client, keyPrefix }), name });
  } finally {
    client.disconnect();
  }
}

async function atPostgres<T>(
  url: string,
  { schema }: StoreFlags,
  use: (opened: OpenedStores) => Promise<T>,
): Promise<T> {
  const { pool, name } = await poolOf(url);
  try {
    return await use({ stores: postgresStores({ pool, schema }), name });
  } finally {
    await pool.end();
  }
}

/** The address of Redis; undefined if the store is PostgreSQL. @throws UsageError */
function redisUrlOf(
  { redisUrlFile, databaseUrlFile }: StoreFlags,
  env: NodeJS.ProcessEnv,
  what: string,
): string | undefined {
  const given = [redisUrlFile ?? env.REDIS_URL, databaseUrlFile ?? env.DATABASE_URL].filter(Boolean);
  const isOneSaid = (redisUrlFile === undefined) !== (databaseUrlFile === undefined);
  if (given.length === 0) {
    throw new UsageError(
      `no address of the store that the ${what} are in`,
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
