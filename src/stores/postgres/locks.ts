import type { Pool } from 'pg';
import type { LockStore } from '../locks.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf } from './expiring-table.js';

/** Locks in PostgreSQL: a row per lock, with its owner and its expiry by the database's clock. */
export class PostgresLocks implements LockStore {
  private readonly table: ExpiringTable;
  private readonly sql: Readonly<Record<'acquire' | 'extend' | 'release', string>>;

  constructor(pool: Pool, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'locks', 'until', answerWithinMs);
    this.sql = statementsOf(this.table.name);
  }

  async acquire(key: string, owner: string, forMs: number): Promise<string | undefined> {
    const row = await this.table.settled<{ owner: string }>(this.sql.acquire, [
      keyOf(key),
      owner,
      forMs / 1_000,
    ]);
    return row.owner === owner ? undefined : row.owner;
  }

  async extend(key: string, owner: string, forMs: number): Promise<boolean> {
    const row = await this.table.settled<{ extended: boolean }>(this.sql.extend, [
      keyOf(key),
      owner,
      forMs / 1_000,
    ]);
    return row.extended;
  }

  async release(key: string, owner: string): Promise<void> {
    await this.table.settled(this.sql.release, [keyOf(key), owner]);
  }
}

/**
 * `acquire` returns the final holder; it returns no row if that changed after the statement began. The other
 * two always return a row.
 */
const statementsOf = (table: string) => ({
  acquire: `
WITH acquired AS (
  INSERT INTO ${table} AS lock (name, owner, until)
  VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
  ON CONFLICT (name) DO UPDATE SET owner = $2, until = CASE lock.owner WHEN $2
      THEN greatest(lock.until, clock_timestamp() + make_interval(secs => $3))
      ELSE clock_timestamp() + make_interval(secs => $3) END
    WHERE lock.until <= clock_timestamp() OR lock.owner = $2
  RETURNING owner
)
SELECT owner FROM acquired
UNION ALL
SELECT owner FROM ${table} WHERE name = $1 AND until > clock_timestamp() AND NOT EXISTS (SELECT FROM acquired)`,
  extend: `
WITH extended AS (
  UPDATE ${table} SET until = greatest(until, clock_timestamp() + make_interval(secs => $3))
  WHERE name = $1 AND owner = $2 AND until > clock_timestamp() RETURNING name
)
SELECT EXISTS (SELECT FROM extended) AS extended`,
  release: `
WITH gone AS (DELETE FROM ${table} WHERE name = $1 AND owner = $2 RETURNING name)
SELECT EXISTS (SELECT FROM gone) AS released`,
});
