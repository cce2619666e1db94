import type { RateLimitStore } from '../rate-limits.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf } from './expiring-table.js';
import type { Queries } from './prepared.js';

/**
 * Permits of rate limits in PostgreSQL: a row per permit, with its expiry by the database's clock. (rate-limiter-flexible,
 * which keeps them in Redis, uses each process's clock in PostgreSQL: a process whose clock is ahead takes
 * permits that others still have.)
 */
export class PostgresRateLimits implements RateLimitStore {
  private readonly table: ExpiringTable;
  private readonly sql: string;
  private readonly holding: string;

  constructor(pool: Queries, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'permits', 'taken_until', answerWithinMs);
    this.sql = takeFrom(this.table.name);
    this.holding = holdIn(this.table.name);
  }

  /** A late answer may have taken the permit for nobody: it expires like any other. */
  async take(name: string, seconds: number): Promise<number> {
    const row = await this.table.ask<{ wait_ms: number }>(this.sql, [keyOf(name), seconds]);
    // Before each question another process had just taken it.
    return row ? Number(row.wait_ms) : seconds * 1_000;
  }

  async hold(names: readonly string[], forMs: number): Promise<void> {
    // Each key once, and in one order for all who hold: PostgreSQL takes no row twice in a statement, and nobody waits in a circle.
    const keys = [...new Set(names.map(keyOf))].sort();
    await this.table.rows(this.holding, [keys, forMs / 1_000]);
  }
}

/**
 * Takes the permit if it is free, and returns 0. Else returns its remaining time; or no row, if it was taken
 * after the statement began, since a statement reads the state before that. An insert that conflicts with
 * another waits for that one and checks its row, so that one of many concurrent callers gets the permit.
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

const holdIn = (table: string): string => `
INSERT INTO ${table} AS permit (name, taken_until)
SELECT name, clock_timestamp() + make_interval(secs => $2) FROM unnest($1::text[]) AS name
ON CONFLICT (name) DO UPDATE SET taken_until = greatest(permit.taken_until, excluded.taken_until)`;
