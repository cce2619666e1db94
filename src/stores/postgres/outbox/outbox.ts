import type { Notification, PoolClient, QueryResultRow } from 'pg';
import { StoreNotMigratedError, StoreTimeoutError } from '../../../errors.js';
import { systemClock } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import type {
  OutboxBacklog,
  OutboxEntry,
  OutboxListening,
  OutboxStore,
  RelayedEntries,
  SqlClient,
  TakenEntry,
} from '../../outbox.js';
import { ANSWER_WITHIN_MS } from '../expiring-table.js';
import type { Connections } from '../prepared.js';
import { quoted } from '../schema.js';
import { isUndefinedTable } from '../sql-state.js';
import { answered, connectionOf, PoolTransaction } from '../transaction.js';
import { type EntryRow, entryOf, outboxStatements, type RefusedRow, refusedOf } from './outbox-sql.js';

/** Channel that the table's trigger notifies, with the schema as payload. */
const CHANNEL = 'hopline_outbox';

/**
 * Settings of a relay's transaction. Read committed: each statement must see earlier commits. No idle timeout:
 * the broker's confirms are awaited between two statements, and a session timeout would publish the round again
 * and again. No JIT: PostgreSQL overestimates the statements, and compiling them would take a hundred times as
 * long as running them.
 */
const RELAY_MODE =
  'ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL jit = off';

/** In characters. */
const ERROR_AT_MOST = 2_000;
const UNSTORABLE = "the error can't be stored in this database: see the relay's log";

/** Outbox in PostgreSQL: a row per message, deleted when it is published. */
export class PostgresOutbox implements OutboxStore {
  private readonly sql: ReturnType<typeof outboxStatements>;
  /** Deadline of statements that walk over all waiting rows. */
  private readonly walkWithinMs: number;

  constructor(
    private readonly pool: Connections,
    private readonly schema: string,
    private readonly answerWithinMs = ANSWER_WITHIN_MS,
  ) {
    this.sql = outboxStatements(quoted(schema));
    this.walkWithinMs = 3 * answerWithinMs;
  }

  async add(client: SqlClient, entries: readonly OutboxEntry[]): Promise<void> {
    const rows = entries.map(({ messageId, routingKey, orderKey, message }, place) => ({
      place,
      message_id: messageId,
      routing_key: routingKey,
      order_key: orderKey ?? null,
      message,
    }));
    const values = [JSON.stringify(rows)];
    const sql = entries.some(({ orderKey }) => orderKey !== undefined) ? this.sql.add : this.sql.addFree;
    const { prepared } = this.pool;
    await this.migrated(async () =>
      prepared?.isFor(client) ? prepared.query(client, sql, values) : client.query(sql, values),
    );
  }

  relay(
    atMost: number,
    publish: (entries: readonly TakenEntry[]) => Promise<RelayedEntries>,
    bytesAtMost = Number.POSITIVE_INFINITY,
  ): Promise<number> {
    return this.inTransaction(RELAY_MODE, async (transaction) => {
      const entries = await this.take(transaction, atMost, bytesAtMost);
      if (entries.length > 0) await this.conclude(transaction, await publish(entries));
      return entries.length;
    });
  }

  private async take(
    transaction: PoolTransaction,
    atMost: number,
    bytesAtMost: number,
  ): Promise<readonly TakenEntry[]> {
    const { sql, walkWithinMs } = this;
    // A statement of its own: the changes of a relay that had a key before are visible only to the next
    // statement.
    const keys = await transaction.query<{ order_key: string }>(sql.lockKeys, [atMost], walkWithinMs);
    const locked = keys.rows.map(({ order_key }) => order_key);
    const taken = await transaction.query<SizedRow>(sql.take, [locked, atMost], walkWithinMs);
    if (taken.rows.length === 0) return [];
    const ids = upTo(bytesAtMost, taken.rows);
    const { rows } = await transaction.query<EntryRow>(sql.read, [ids], walkWithinMs);
    return rows.map(entryOf);
  }

  private async conclude(
    transaction: PoolTransaction,
    { published, refused }: RelayedEntries,
  ): Promise<void> {
    if (published.length > 0) await transaction.query(this.sql.remove, [published]);
    for (const { id, error, againMs } of refused) {
      const said = storable(error);
      const isWritten = await this.refuse(transaction, [id, said, againMs / 1_000]);
      if (!isWritten) await this.refuse(transaction, [id, UNSTORABLE, againMs / 1_000]);
    }
  }

  /**
   * If a refusal can't be written, the deletion of published messages must not be undone: they would be
   * published again in each round.
   */
  private async refuse(transaction: PoolTransaction, values: unknown[]): Promise<boolean> {
    await transaction.query('SAVEPOINT refusal');
    try {
      await transaction.query(this.sql.refuse, values);
      await transaction.query('RELEASE SAVEPOINT refusal');
      return true;
    } catch (error) {
      if (error instanceof StoreTimeoutError) throw error;
      // Throws if the connection is lost.
      await transaction.query('ROLLBACK TO SAVEPOINT refusal');
      return false;
    }
  }

  backlog(): Promise<OutboxBacklog> {
    return this.inTransaction('READ ONLY', async (transaction) => {
      const { sql, walkWithinMs } = this;
      const { rows } = await transaction.query<{ waiting: string; lag_ms: number }>(
        sql.backlog,
        [],
        walkWithinMs,
      );
      const refused = await transaction.query<RefusedRow>(sql.refused, [], walkWithinMs);
      return {
        waiting: Number(rows[0]?.waiting),
        lagMs: rows[0]?.lag_ms ?? 0,
        refused: refused.rows.map(refusedOf),
      };
    });
  }

  async listen(wake: () => void): Promise<OutboxListening> {
    const deadline = new Deadline(systemClock, this.answerWithinMs);
    const client = await connectionOf(this.pool, deadline);
    const ask = async <Row extends QueryResultRow>(sql: string) => {
      try {
        return await answered(client.query<Row>(sql), new Deadline(systemClock, this.answerWithinMs));
      } catch (error) {
        if (error instanceof StoreTimeoutError) listening.end();
        throw error;
      }
    };
    const { rest, rise } = this.sql;
    const listening = new Listening(client, (payload) => payload === this.schema && wake(), {
      rest: async () => (await ask<{ isWoken: boolean }>(rest)).rows[0]?.isWoken === true,
      rise: async () => void (await ask(rise)),
    });
    try {
      await answered(client.query(`LISTEN ${CHANNEL}`), deadline);
      return listening;
    } catch (error) {
      listening.end();
      throw error;
    }
  }

  private inTransaction<T>(mode: string, work: (transaction: PoolTransaction) => Promise<T>): Promise<T> {
    return this.migrated(async () => {
      const transaction = await PoolTransaction.begin(this.pool, this.answerWithinMs, mode);
      try {
        const result = await work(transaction);
        await transaction.commit();
        return result;
      } catch (error) {
        await transaction.rollBack();
        throw error;
      }
    });
  }

  private async migrated<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (isUndefinedTable(error))
        throw new StoreNotMigratedError(`${quoted(this.schema)}.outbox`, this.schema, { cause: error });
      throw error;
    }
  }
}

interface SizedRow {
  readonly id: string;
  readonly bytes: number;
}

/** The first rows up to the given total size. */
function upTo(bytesAtMost: number, rows: readonly SizedRow[]): string[] {
  let bytes = 0;
  const end = rows.findIndex((row) => {
    bytes += row.bytes;
    return bytes >= bytesAtMost;
  });
  return rows.slice(0, end < 0 ? rows.length : end + 1).map(({ id }) => id);
}

/** Text that PostgreSQL can store, without NUL, and that fits on a screen. */
const storable = (error: string): string => error.slice(0, ERROR_AT_MOST).replaceAll('\0', '');

/** A connection that only listens for notifications. */
class Listening implements OutboxListening {
  isOn = true;
  readonly rest: () => Promise<boolean>;
  readonly rise: () => Promise<void>;
  private readonly onNotified: (notification: Notification) => void;
  private readonly onEnd = () => this.end();

  constructor(
    private readonly client: PoolClient,
    onPayload: (payload: string | undefined) => void,
    { rest, rise }: Pick<OutboxListening, 'rest' | 'rise'>,
  ) {
    this.rest = rest;
    this.rise = rise;
    this.onNotified = ({ payload }) => onPayload(payload);
    client.on('notification', this.onNotified).on('end', this.onEnd).on('error', this.onEnd);
  }

  end(): void {
    if (!this.isOn) return;
    this.isOn = false;
    this.client.off('notification', this.onNotified).off('end', this.onEnd);
    // Closed instead of returned: in the pool it would go on listening.
    this.client.release(true);
  }
}
