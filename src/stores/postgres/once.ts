import { StoreNotMigratedError } from '../../errors.js';
import type { OnceStore } from '../once.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf } from './expiring-table.js';
import { plannedAnew, type Queries } from './prepared.js';
import { quoted } from './schema.js';
import { isUndefinedTable } from './sql-state.js';
import type { PoolTransaction } from './transaction.js';

/** Results of parts of handlers' work in PostgreSQL: a row per result, with its expiry by the database's clock. */
export class PostgresOnce implements OnceStore {
  private readonly table: ExpiringTable;
  private readonly sql: ReturnType<typeof statementsOf>;

  constructor(pool: Queries, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'ledger', 'until', answerWithinMs);
    this.sql = statementsOf(this.table.name);
  }

  async reserve(key: string, forMs: number): Promise<string | undefined> {
    const name = keyOf(key);
    // Read first: a write fails on a read-only database, also if the result exists.
    const known = await this.table.settled<{ result: string | null }>(this.sql.read, [name]);
    if (known.result !== null) return known.result;
    const row = await this.table.settled<{ result: string }>(this.sql.reserve, [name, forMs / 1_000]);
    return row.result === PLACE ? undefined : row.result;
  }

  async record(key: string, result: string, keepMs: number): Promise<string> {
    const row = await this.table.settled<{ result: string }>(this.sql.record, [
      keyOf(key),
      result,
      keepMs / 1_000,
    ]);
    return row.result;
  }
}

/** Results within a transaction that has already written: nothing needs to be reserved. */
export class TransactionOnce implements OnceStore {
  private readonly table: string;
  private readonly sql: ReturnType<typeof statementsOf>;

  constructor(
    private readonly transaction: Pick<PoolTransaction, 'query'>,
    private readonly schema: string,
  ) {
    this.table = `${quoted(schema)}.ledger`;
    this.sql = statementsOf(this.table);
  }

  async reserve(key: string): Promise<string | undefined> {
    return (await this.ask(this.sql.read, [keyOf(key)])) ?? undefined;
  }

  async record(key: string, result: string, keepMs: number): Promise<string> {
    for (;;) {
      const recorded = await this.ask(this.sql.record, [keyOf(key), result, keepMs / 1_000]);
      // Another transaction was faster: a new statement sees its result.
      if (typeof recorded === 'string') return recorded;
    }
  }

  private async ask(sql: string, values: unknown[]): Promise<string | null | undefined> {
    try {
      const { rows } = await this.transaction.query<{ result: string | null }>(sql, values);
      return rows[0]?.result;
    } catch (error) {
      if (isUndefinedTable(error)) throw new StoreNotMigratedError(this.table, this.schema, { cause: error });
      throw error;
    }
  }
}

/** Marks a reserved key without a result; it is not valid JSON. */
const PLACE = '?';

/**
 * `reserve` and `record` return the final content; they return no row if that changed after the statement
 * began. A reservation is written every time: a read-only database must not let a part begin.
 */
const statementsOf = (table: string) => ({
  read: plannedAnew(
    `SELECT (SELECT result FROM ${table} WHERE name = $1 AND until > clock_timestamp() AND result <> '${PLACE}') AS result`,
  ),
  reserve: `
WITH reserved AS (
  INSERT INTO ${table} AS entry (name, result, until)
  VALUES ($1, '${PLACE}', clock_timestamp() + make_interval(secs => $2))
  ON CONFLICT (name) DO UPDATE SET result = '${PLACE}', until = clock_timestamp() + make_interval(secs => $2)
    WHERE entry.until <= clock_timestamp() OR entry.result = '${PLACE}'
  RETURNING result
)
SELECT result FROM reserved
UNION ALL
SELECT result FROM ${table} WHERE name = $1 AND until > clock_timestamp() AND NOT EXISTS (SELECT FROM reserved)`,
  record: `
WITH recorded AS (
  INSERT INTO ${table} AS entry (name, result, until)
  VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
  ON CONFLICT (name) DO UPDATE SET result = $2, until = clock_timestamp() + make_interval(secs => $3)
    WHERE entry.until <= clock_timestamp() OR entry.result = '${PLACE}'
  RETURNING result
)
SELECT result FROM recorded
UNION ALL
SELECT result FROM ${table}
  WHERE name = $1 AND until > clock_timestamp() AND result <> '${PLACE}' AND NOT EXISTS (SELECT FROM recorded)`,
});
