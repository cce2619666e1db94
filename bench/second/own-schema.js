import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** Connections of each case. */
const CONNECTIONS = 20;

/**
 * A schema of a case's own, with Hopline's tables, and a pool; `end` drops it.
 *
 * @param {import('./rows.js').Setup} setup
 */
export async function ownSchema({ servers }) {
  const { migrate } = await import(
    new URL('../../dist/src/stores/postgres/migrate.js', import.meta.url).href
  );
  const schema = `bench_${randomBytes(6).toString('hex')}`;
  const pool = new pg.Pool({ connectionString: servers.postgres?.url, max: CONNECTIONS });
  const client = await pool.connect();
  await migrate(client, schema);
  client.release();
  const end = async () => {
    await pool.query(`DROP SCHEMA "${schema}" CASCADE`);
    await pool.end();
  };
  return { schema, pool, end };
}
