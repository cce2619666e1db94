import type { Pool, PoolClient } from 'pg';
import { StoreNotMigratedError } from '../../errors.js';
import type { LedgerStore } from '../ledger.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf } from './expiring-table.js';
import { quoted } from './schema.js';
import { isUndefinedTable } from './sql-state.js';

/** Results as rows, and until when each is kept, by the clock of the database. */
export class PostgresLedger implements LedgerStore {
  private readonly table: ExpiringTable;
  private readonly sql: Readonly<Record<'read' | 'record', string>>;

  constructor(pool: Pool, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'ledger', 'until', answerWithinMs);
    this.sql = statementsOf(this.table.name);
  }

  async read(key: string): Promise<string | undefined> {
    const row = await this.table.settled<{ result: string | null }>(this.sql.read, [keyOf(key)]);
    return row.result ?? undefined;
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

/** Results recorded in a transaction, with its connection. */
export class TransactionLedger implements LedgerStore {
  private readonly table: string;
  private readonly sql: Readonly<Record<'read' | 'record', string>>;

  constructor(
    private readonly client: PoolClient,
    private readonly schema: string,
  ) {
    this.table = `${quoted(schema)}.ledger`;
    this.sql = statementsOf(this.table);
  }

  async read(key: string): Promise<string | undefined> {
    return (await this.ask(this.sql.read, [keyOf(key)])) ?? undefined;
  }

  async record(key: string, result: string, keepMs: number): Promise<string> {
    for (;;) {
      const recorded = await this.ask(this.sql.record, [keyOf(key), result, keepMs / 1_000]);
      // Another transaction was quicker: a new statement sees what it has recorded.
      if (typeof recorded === 'string') return recorded;
    }
  }

  private async ask(sql: string, values: unknown[]): Promise<string | null | undefined> {
    try {
      const { rows } = await this.client.query<{ result: string | null }>(sql, values);
      return rows[0]?.result;
    } catch (error) {
      if (isUndefinedTable(error)) throw new StoreNotMigratedError(this.table, this.schema, { cause: error });
      throw error;
    }
  }
}

/** `record` answers with what is there in the end: no row if that changed after the statement began. */
const statementsOf = (table: string) => ({
  read: `SELECT (SELECT result FROM ${table} WHERE name = $1 AND until > clock_timestamp()) AS result`,
  record: `
WITH recorded AS (
  INSERT INTO ${table} AS entry (name, result, until)
  VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
  ON CONFLICT (name) DO UPDATE SET result = $2, until = clock_timestamp() + make_interval(secs => $3)
    WHERE entry.until <= clock_timestamp()
  RETURNING result
)
SELECT result FROM recorded
UNION ALL
SELECT result FROM ${table} WHERE name = $1 AND until > clock_timestamp() AND NOT EXISTS (SELECT FROM recorded)`,
});
