import type { Notification, Pool, PoolClient } from 'pg';
import { StoreNotMigratedError } from '../../errors.js';
import { systemClock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import type {
  OutboxBacklog,
  OutboxEntry,
  OutboxListening,
  OutboxStore,
  RelayedEntries,
  SqlClient,
  TakenEntry,
} from '../outbox.js';
import { ANSWER_WITHIN_MS } from './expiring-table.js';
import { type EntryRow, entryOf, outboxStatements } from './outbox-sql.js';
import { quoted } from './schema.js';
import { isUndefinedTable } from './sql-state.js';
import { connectionOf, PoolTransaction } from './transaction.js';

/** Notified by a trigger of the table's, with the schema as payload. */
const CHANNEL = 'hopline_outbox';

/** Messages that wait in a table: a row each, gone once it is published. */
export class PostgresOutbox implements OutboxStore {
  private readonly sql: ReturnType<typeof outboxStatements>;

  constructor(
    private readonly pool: Pool,
    private readonly schema: string,
    private readonly answerWithinMs = ANSWER_WITHIN_MS,
  ) {
    this.sql = outboxStatements(quoted(schema));
  }

  async add(client: SqlClient, entries: readonly OutboxEntry[]): Promise<void> {
    const rows = entries.map(({ messageId, routingKey, orderKey, message }, place) => ({
      place,
      message_id: messageId,
      routing_key: routingKey,
      order_key: orderKey ?? null,
      message,
    }));
    await this.migrated(async () => client.query(this.sql.add, [JSON.stringify(rows)]));
  }

  relay(
    atMost: number,
    publish: (entries: readonly TakenEntry[]) => Promise<RelayedEntries>,
  ): Promise<number> {
    // Each statement has to see what was committed before it.
    return this.inTransaction('ISOLATION LEVEL READ COMMITTED', async (client) => {
      const entries = await this.take(client, atMost);
      if (entries.length > 0) await this.conclude(client, await publish(entries));
      return entries.length;
    });
  }

  private async take(client: PoolClient, atMost: number): Promise<readonly TakenEntry[]> {
    // In a statement of their own: what another relay did with a key before it gave the key back is seen by the next one only.
    const keys = await client.query<{ order_key: string }>(this.sql.lockKeys, [atMost]);
    const locked = keys.rows.map(({ order_key }) => order_key);
    const { rows } = await client.query<EntryRow>(this.sql.take, [locked, atMost]);
    return rows.map(entryOf);
  }

  private async conclude(client: PoolClient, { published, refused }: RelayedEntries): Promise<void> {
    if (published.length > 0) await client.query(this.sql.remove, [published]);
    for (const { id, error, againMs } of refused)
      await client.query(this.sql.refuse, [id, error, againMs / 1_000]);
  }

  backlog(): Promise<OutboxBacklog> {
    return this.inTransaction('READ ONLY', async (client) => {
      const { rows } = await client.query<{ waiting: string; lag_ms: number }>(this.sql.backlog);
      const refused = await client.query<EntryRow & { error: string }>(this.sql.refused);
      return {
        waiting: Number(rows[0]?.waiting),
        lagMs: rows[0]?.lag_ms ?? 0,
        refused: refused.rows.map((row) => ({ ...entryOf(row), error: row.error })),
      };
    });
  }

  async listen(wake: () => void): Promise<OutboxListening> {
    const client = await connectionOf(this.pool, new Deadline(systemClock, this.answerWithinMs));
    const listening = new Listening(client, (payload) => payload === this.schema && wake());
    try {
      await client.query(`LISTEN ${CHANNEL}`);
      return listening;
    } catch (error) {
      listening.end();
      throw error;
    }
  }

  private inTransaction<T>(mode: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.migrated(async () => {
      const transaction = await PoolTransaction.begin(this.pool, this.answerWithinMs, mode);
      try {
        const result = await work(transaction.client);
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

/** A connection that is told of what is added, and is of no other use. */
class Listening implements OutboxListening {
  isOn = true;
  private readonly onNotified: (notification: Notification) => void;
  private readonly onEnd = () => this.end();

  constructor(
    private readonly client: PoolClient,
    onPayload: (payload: string | undefined) => void,
  ) {
    this.onNotified = ({ payload }) => onPayload(payload);
    client.on('notification', this.onNotified).on('end', this.onEnd).on('error', this.onEnd);
  }

  end(): void {
    if (!this.isOn) return;
    this.isOn = false;
    this.client.off('notification', this.onNotified).off('end', this.onEnd);
    // Closed: it would go on listening in the pool.
    this.client.release(true);
  }
}
