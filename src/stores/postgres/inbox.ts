import type { Pool } from 'pg';
import { StoreNotMigratedError } from '../../errors.js';
import type { InboxStore, InboxTransaction } from '../inbox.js';
import type { OutboxEntry, OutboxStore } from '../outbox.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf } from './expiring-table.js';
import { isSerializationFailure, isUndefinedTable } from './sql-state.js';
import { PoolTransaction } from './transaction.js';

/**
 * Transactions that hold that a key was handled: a row in the table of claims, which idempotent handlers read, too. While one
 * runs it has a lock on its key, which PostgreSQL gives back by itself when the connection is gone.
 */
export class PostgresInbox implements InboxStore {
  private readonly sql: Readonly<Record<'take' | 'look', string>>;
  private readonly claims: ExpiringTable;

  constructor(
    private readonly pool: Pool,
    private readonly schema: string,
    private readonly outbox: Pick<OutboxStore, 'add'>,
    private readonly answerWithinMs = ANSWER_WITHIN_MS,
  ) {
    this.claims = new ExpiringTable(pool, schema, 'claims', 'until', answerWithinMs);
    this.sql = statementsOf(this.claims.name);
  }

  async begin(key: string | undefined, keepMs: number): Promise<InboxTransaction | 'done' | 'taken'> {
    const transaction = await PoolTransaction.begin(this.pool, this.answerWithinMs);
    try {
      const taken = key === undefined ? 'mine' : await this.take(transaction, keyOf(key), keepMs);
      this.claims.sweepNowAndThen();
      if (taken === 'mine') return new Handling(transaction, this.outbox);
      await transaction.rollBack();
      return taken;
    } catch (error) {
      await transaction.rollBack();
      if (isUndefinedTable(error))
        throw new StoreNotMigratedError(this.claims.name, this.schema, { cause: error });
      if (isSerializationFailure(error)) return 'taken';
      throw error;
    }
  }

  private async take(
    transaction: PoolTransaction,
    name: string,
    keepMs: number,
  ): Promise<'mine' | 'done' | 'taken'> {
    const { rowCount } = await transaction.query(this.sql.take, [name, keepMs / 1_000]);
    if (rowCount === 1) return 'mine';
    const { rows } = await transaction.query<{ done: boolean }>(this.sql.look, [name]);
    return rows[0]?.done ? 'done' : 'taken';
  }
}

class Handling implements InboxTransaction {
  constructor(
    private readonly transaction: PoolTransaction,
    private readonly outbox: Pick<OutboxStore, 'add'>,
  ) {}

  get client() {
    return this.transaction.client;
  }

  add(entries: readonly OutboxEntry[]): Promise<void> {
    return this.outbox.add(this.client, entries);
  }

  commit(): Promise<void> {
    return this.transaction.commit();
  }

  rollBack(): Promise<void> {
    return this.transaction.rollBack();
  }

  abandon(): void {
    this.transaction.abandon();
  }
}

/**
 * `take` changes no row if another transaction has the key's lock, if it is done, or if an idempotent handler, of the version
 * before this one perhaps, has claimed it; `look` tells which.
 */
const statementsOf = (table: string) => ({
  take: `
INSERT INTO ${table} AS claim (name, owner, until)
SELECT $1, NULL, clock_timestamp() + make_interval(secs => $2)
WHERE pg_try_advisory_xact_lock(hashtextextended('${table}' || $1, 0))
ON CONFLICT (name) DO UPDATE SET owner = NULL, until = excluded.until WHERE claim.until <= clock_timestamp()`,
  look: `SELECT owner IS NULL AS done FROM ${table} WHERE name = $1 AND until > clock_timestamp()`,
});
