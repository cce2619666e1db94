import type { Pool } from 'pg';
import type { PermitStore } from '../permits.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf } from './expiring-table.js';

/**
 * Permits as rows: a name, and until when it is taken, by the clock of the database. (rate-limiter-flexible, which keeps
 * them in Redis, goes by the clock of each process in PostgreSQL: one that is ahead takes what others still have.)
 */
export class PostgresPermits implements PermitStore {
  private readonly table: ExpiringTable;
  private readonly sql: string;

  constructor(pool: Pool, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'permits', 'taken_until', answerWithinMs);
    this.sql = takeFrom(this.table.name);
  }

  /** What is answered too late may have taken the permit, for nobody: it comes back like any other. */
  async take(name: string, seconds: number): Promise<number> {
    const row = await this.table.ask<{ wait_ms: number }>(this.sql, [keyOf(name), seconds]);
    // With each question somebody else had just taken it.
    return row ? Number(row.wait_ms) : seconds * 1_000;
  }
}

/**
 * Takes the permit if nobody has it: 0. Else how long it is still taken; no row if it was taken after the statement began,
 * since that reads what was there before. An insert that meets another waits for it and looks at what it left, so that of
 * many who ask at once one has it.
 */
const takeFrom = (table: string): string => `
WITH taken AS (
  INSERT INTO ${table} AS permit (name, taken_until)
  VALUES ($1, clock_timestamp() + make_interval(secs => $2))
  ON CONFLICT (name) DO UPDATE SET taken_until = clock_timestamp() + make_interval(secs => $2)
    WHERE permit.taken_until <= clock_timestamp()
  RETURNING name
)
SELECT 0::float8 AS wait_ms FROM taken
UNION ALL
SELECT extract(epoch FROM taken_until - clock_timestamp())::float8 * 1000
  FROM ${table} WHERE name = $1 AND taken_until > clock_timestamp() AND NOT EXISTS (SELECT FROM taken)`;
