import { StoreNotMigratedError } from '../../errors.js';
import type { HandledKey } from '../idempotency.js';
import type { InboxStore, InboxTransaction } from '../inbox.js';
import type { OnceStore } from '../once.js';
import type { OutboxEntry, OutboxStore } from '../outbox.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf } from './expiring-table.js';
import { TransactionOnce } from './once.js';
import { type Connections, plannedAnew } from './prepared.js';
import { isSerializationFailure, isUndefinedTable } from './sql-state.js';
import { PoolTransaction } from './transaction.js';

/**
 * Inbox in PostgreSQL: a transaction records its key as a row of the table of claims, which idempotent handlers
 * read, too. While it runs, it holds a lock on the key, which PostgreSQL releases when the connection is lost.
 */
export class PostgresInbox implements InboxStore {
  private readonly sql: Readonly<Record<'take' | 'look' | 'note', string>>;
  private readonly claims: ExpiringTable;

  constructor(
    private readonly pool: Connections,
    private readonly schema: string,
    private readonly outbox: Pick<OutboxStore, 'add'>,
    private readonly answerWithinMs = ANSWER_WITHIN_MS,
  ) {
    this.claims = new ExpiringTable(pool, schema, 'claims', 'until', answerWithinMs);
    this.sql = statementsOf(this.claims.name);
  }

  async begin(
    key: string | undefined,
    keepMs: number,
    note: string,
  ): Promise<InboxTransaction | HandledKey | 'taken'> {
    const transaction = await PoolTransaction.begin(this.pool, this.answerWithinMs);
    try {
      const name = key === undefined ? undefined : keyOf(key);
      const taken = name === undefined ? 'mine' : await this.take(transaction, name, keepMs, note);
      this.claims.sweepNowAndThen();
      if (taken === 'mine') return this.handling(transaction, name);
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
    note: string,
  ): Promise<'mine' | HandledKey | 'taken'> {
    const { rowCount } = await transaction.query(this.sql.take, [name, keepMs / 1_000, note]);
    if (rowCount === 1) return 'mine';
    const { rows } = await transaction.query<{ done: boolean; note: string | null }>(this.sql.look, [name]);
    return rows[0]?.done ? { handled: rows[0].note ?? '' } : 'taken';
  }

  private handling(transaction: PoolTransaction, name: string | undefined): InboxTransaction {
    const note = async (text: string) => {
      if (name !== undefined) await transaction.query(this.sql.note, [name, text]);
    };
    const once = new TransactionOnce(transaction, this.schema);
    return new Handling(transaction, this.outbox, once, note);
  }
}

class Handling implements InboxTransaction {
  constructor(
    private readonly transaction: PoolTransaction,
    private readonly outbox: Pick<OutboxStore, 'add'>,
    readonly once: OnceStore,
    readonly note: (text: string) => Promise<void>,
  ) {}

  get client() {
    return this.transaction.client;
  }

  add(entries: readonly OutboxEntry[]): Promise<void> {
    return this.outbox.add(this.client, entries);
  }

  commit(): Promise<Error | undefined> {
    return this.transaction.committed();
  }

  rollBack(): Promise<void> {
    return this.transaction.rollBack();
  }

  abandon(): void {
    this.transaction.abandon();
  }
}

/**
 * `take` changes no row if another transaction holds the key's lock, if the key is done, or if an idempotent
 * handler (perhaps of an earlier version of the service) has claimed it; `look` tells which.
 */
const statementsOf = (table: string) => ({
  take: `
INSERT INTO ${table} AS claim (name, owner, until, note)
SELECT $1, NULL, clock_timestamp() + make_interval(secs => $2), $3
WHERE pg_try_advisory_xact_lock(hashtextextended('${table}' || $1, 0))
ON CONFLICT (name) DO UPDATE SET owner = NULL, until = excluded.until, note = $3
  WHERE claim.until <= clock_timestamp()`,
  look: plannedAnew(
    `SELECT owner IS NULL AS done, note FROM ${table} WHERE name = $1 AND until > clock_timestamp()`,
  ),
  note: plannedAnew(`UPDATE ${table} SET note = $2 WHERE name = $1`),
});
