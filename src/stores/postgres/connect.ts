import type { Client, ClientConfig, Pool } from 'pg';
import { StoreConnectError } from '../../errors.js';

/** Deadline for each address of a host name, login included. */
const CONNECT_WITHIN_MS = 10_000;

/** A connection, and the database's name without credentials. */
export interface Database {
  readonly client: Client;
  /** Example: `database 'shop' at db.example.org:5432` */
  readonly name: string;
}

/**
 * Connects, for a command; pg is loaded by this call. Parts that the URL lacks come from PGUSER, PGPASSWORD and
 * so on, as usual with PostgreSQL.
 *
 * @throws StoreConnectError
 */
export async function connectPostgres(url: string): Promise<Database> {
  const { Client } = await loadPg();
  const config: ClientConfig = {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    keepAlive: true,
    fallback_application_name: 'hopline',
  };
  let client: Client;
  try {
    client = new Client(config);
  } catch {
    // The error's own message is left out: it may quote the URL.
    throw new StoreConnectError("the database's URL, or a file that it names, can't be read", ADDRESS);
  }
  client.on('error', () => {}); // the next statement reports the error
  const name = `database '${client.database}' at ${client.host}:${client.port}`;
  try {
    await client.connect();
  } catch (cause) {
    client.end().catch(() => {}); // not awaited: the server may not answer
    throw new StoreConnectError(`can't connect to ${name}: ${reasonOf(cause)}`, HELP, { cause });
  }
  return { client, name };
}

/** A database, with as many connections as are needed. */
export interface PooledDatabase {
  readonly pool: Pool;
  /** See {@link Database}. */
  readonly name: string;
}

/**
 * The same for a long-running command. Opens one connection at once, to find faults of the URL.
 *
 * @throws StoreConnectError
 */
export async function poolOf(url: string): Promise<PooledDatabase> {
  const { client, name } = await connectPostgres(url);
  await client.end();
  const { Pool } = await loadPg();
  const pool = new Pool({ connectionString: url, keepAlive: true, fallback_application_name: 'hopline' });
  pool.on('error', () => {}); // the next statement reports the error
  return { pool, name };
}

const ADDRESS =
  'Write it as postgres://user:password@host:5432/database, special characters percent-encoded.';
const HELP = 'Check that it runs, and check address, user and password.';

async function loadPg() {
  try {
    return (await import('pg')).default; // pg 8.11 has only a default export
  } catch (cause) {
    throw new StoreConnectError(
      "the package pg, PostgreSQL's client, can't be loaded",
      'Run `npm install pg`.',
      { cause },
    );
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const REASONS: Readonly<Record<string, string>> = {
  '28000': 'it refuses the user or the password',
  '28P01': 'it refuses the user or the password',
  '3D000': 'there is no such database',
};

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  // For a host with several addresses the message is empty.
  return REASONS[code ?? ''] ?? (message || code || 'it does not answer');
}
