import type { Pool } from 'pg';
import type { SequenceStore } from '../sequences.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf } from './expiring-table.js';

/** Sequences in PostgreSQL: a row has the last number, the latest that counts, and the expiry. */
export class PostgresSequences implements SequenceStore {
  private readonly table: ExpiringTable;
  private readonly sql: Readonly<Record<'next' | 'advance', string>>;

  constructor(pool: Pool, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'sequences', 'until', answerWithinMs);
    this.sql = statementsOf(this.table.name);
  }

  async next(key: string, keepMs: number): Promise<number> {
    const row = await this.table.settled<{ number: string }>(this.sql.next, [keyOf(key), keepMs / 1_000]);
    return Number(row.number);
  }

  async advance(key: string, number: number, keepMs: number): Promise<boolean> {
    const row = await this.table.settled<{ newest: boolean }>(this.sql.advance, [
      keyOf(key),
      keepMs / 1_000,
      number,
    ]);
    return row.newest;
  }
}

/** Microseconds since 1970. */
const NOW = '(extract(epoch FROM clock_timestamp()) * 1000000)::bigint';
const UNTIL = 'clock_timestamp() + make_interval(secs => $2)';

const statementsOf = (table: string) => ({
  next: `
INSERT INTO ${table} AS known (name, given, latest, until) VALUES ($1, ${NOW}, 0, ${UNTIL})
ON CONFLICT (name) DO UPDATE SET
  given = greatest(${NOW}, known.given + 1, known.latest + 1), until = greatest(known.until, ${UNTIL})
RETURNING given AS number`,
  advance: `
INSERT INTO ${table} AS known (name, given, latest, until) VALUES ($1, 0, $3::bigint, ${UNTIL})
ON CONFLICT (name) DO UPDATE SET
  latest = greatest(known.latest, $3::bigint), until = greatest(known.until, ${UNTIL})
RETURNING latest <= $3::bigint AS newest`,
});
