import type { Client, ClientConfig, Pool } from 'pg';
import { StoreConnectError } from '../../errors.js';

/** Each address that a host name has, and the login. */
const CONNECT_WITHIN_MS = 10_000;

/** A connection, and how to call its database without saying how to get in. */
export interface Database {
  readonly client: Client;
  /** `database 'shop' at db.example.org:5432` */
  readonly name: string;
}

/**
 * Connects, for a command: pg is loaded only now. What the address leaves out comes from PGUSER, PGPASSWORD and their like,
 * as everywhere with PostgreSQL.
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
    // Not what it says: it may quote the address.
    throw new StoreConnectError(
      'the address of the database, or a file that it names, can not be read',
      ADDRESS,
    );
  }
  client.on('error', () => {}); // told by what is asked of it
  const name = `database '${client.database}' at ${client.host}:${client.port}`;
  try {
    await client.connect();
  } catch (cause) {
    client.end().catch(() => {}); // not waited for: there is nothing to say goodbye to
    throw new StoreConnectError(`can't connect to ${name}: ${reasonOf(cause)}`, HELP, { cause });
  }
  return { client, name };
}

/** A database, with as many connections as are asked for. */
export interface PooledDatabase {
  readonly pool: Pool;
  /** As {@link Database} has it. */
  readonly name: string;
}

/**
 * The same for a command that goes on for long. One connection is made at once, to say what is wrong with the address.
 *
 * @throws StoreConnectError
 */
export async function poolOf(url: string): Promise<PooledDatabase> {
  const { client, name } = await connectPostgres(url);
  await client.end();
  const { Pool } = await loadPg();
  const pool = new Pool({ connectionString: url, keepAlive: true, fallback_application_name: 'hopline' });
  pool.on('error', () => {}); // told by what is asked of it
  return { pool, name };
}

const ADDRESS =
  'Write it as postgres://user:password@host:5432/database, special characters percent-encoded.';
const HELP = 'Look whether it runs, and whether address, user and password are right.';

async function loadPg() {
  try {
    return (await import('pg')).default; // all that pg 8.11 exports by name is its default
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
  // Of a host with several addresses the message is empty.
  return REASONS[code ?? ''] ?? (message || code || 'it does not answer');
}
