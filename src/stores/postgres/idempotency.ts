import type { Pool } from 'pg';
import type { HandledKey, IdempotencyStore } from '../idempotency.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf } from './expiring-table.js';

interface Row {
  /** Null if the key is done. */
  readonly owner: string | null;
  readonly note: string | null;
  readonly left_ms: number;
}

/** Keys that idempotent handlers handle, in PostgreSQL: a row has the key, its owner or "done", and the expiry by the database's clock. */
export class PostgresIdempotency implements IdempotencyStore {
  private readonly table: ExpiringTable;
  private readonly sql: Readonly<Record<'claim' | 'finish' | 'release', string>>;

  constructor(pool: Pool, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'claims', 'until', answerWithinMs);
    this.sql = statementsOf(this.table.name);
  }

  async claim(key: string, owner: string, forMs: number): Promise<'claimed' | HandledKey | number> {
    const row = await this.table.ask<Row>(this.sql.claim, [keyOf(key), owner, forMs / 1_000]);
    // Before each question another owner had just claimed the key.
    if (!row) return forMs;
    if (row.owner === null) return { handled: row.note ?? '' };
    return row.owner === owner ? 'claimed' : Math.max(1, Number(row.left_ms));
  }

  async finish(key: string, owner: string, keepMs: number, note: string): Promise<boolean> {
    const row = await this.table.ask<{ finished: boolean }>(this.sql.finish, [
      keyOf(key),
      owner,
      keepMs / 1_000,
      note,
    ]);
    return row?.finished === true;
  }

  async release(key: string, owner: string): Promise<void> {
    await this.table.ask(this.sql.release, [keyOf(key), owner]);
  }
}

/**
 * `claim` returns the final owner of the key; it returns no row if that changed after the statement began (see
 * rate-limits.ts). The other two always return a row.
 */
const statementsOf = (table: string) => ({
  claim: `
WITH claimed AS (
  INSERT INTO ${table} AS claim (name, owner, until)
  VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
  ON CONFLICT (name) DO UPDATE SET owner = $2, until = clock_timestamp() + make_interval(secs => $3)
    WHERE claim.until <= clock_timestamp() OR claim.owner = $2
  RETURNING owner
)
SELECT owner, NULL AS note, 0::float8 AS left_ms FROM claimed
UNION ALL
SELECT owner, note, extract(epoch FROM until - clock_timestamp())::float8 * 1000
  FROM ${table} WHERE name = $1 AND until > clock_timestamp() AND NOT EXISTS (SELECT FROM claimed)`,
  finish: `
WITH finished AS (
  UPDATE ${table} SET owner = NULL, note = $4, until = clock_timestamp() + make_interval(secs => $3)
  WHERE name = $1 AND owner = $2 AND until > clock_timestamp() RETURNING name
)
SELECT EXISTS (SELECT FROM finished) AS finished`,
  release: `
WITH gone AS (DELETE FROM ${table} WHERE name = $1 AND owner = $2 RETURNING name)
SELECT EXISTS (SELECT FROM gone) AS released`,
});
