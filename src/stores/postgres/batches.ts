import type { Pool } from 'pg';
import type { StoredNotification } from '../../message/batch.js';
import type {
  BatchChange,
  BatchStore,
  Closed,
  JobResult,
  NewBatch,
  ReservedNumbers,
  StoredBatch,
} from '../batches.js';
import { batchStatements, NOBODY } from './batches-sql.js';
import { ANSWER_WITHIN_MS, ExpiringTable } from './expiring-table.js';
import { quoted } from './schema.js';

interface NumbersRow {
  readonly first: number | null;
  readonly count: number;
  readonly unsent: number[];
  readonly closed: Closed | null;
}

interface BeginRow {
  readonly answer: 'go' | 'skip' | 'ended';
}

/** A batch as the statements answer: in the port's words, with null for undefined. */
type StoredRow = {
  readonly [Name in keyof StoredBatch]: undefined extends StoredBatch[Name]
    ? NonNullable<StoredBatch[Name]> | null
    : StoredBatch[Name];
};

/** Batches in PostgreSQL: a row for each batch, for each ended job, and for each group of numbers reserved together. */
export class PostgresBatches implements BatchStore {
  private readonly table: ExpiringTable;
  private readonly sql: ReturnType<typeof batchStatements>;

  /** @param pool a pool, or a single connection in a command */
  constructor(pool: Pick<Pool, 'query'>, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'batches', 'until', answerWithinMs);
    this.sql = batchStatements(quoted(schema));
  }

  async open({ id, name, service, allowsFailures, notifications, keepMs }: NewBatch): Promise<void> {
    const values = [id, name, allowsFailures, notifications, keepMs / 1_000, service];
    for (let made: object[] = []; made.length === 0; ) {
      await this.table.rows(this.sql.clear, [id]);
      made = await this.table.rows(this.sql.open, values);
    }
  }

  async reserve(
    id: string,
    key: string,
    count: number,
    by?: number,
  ): Promise<ReservedNumbers | Closed | undefined> {
    for (;;) {
      const [row] = await this.table.rows<NumbersRow>(this.sql.reserve, [id, key, count, by]);
      if (!row) return undefined;
      if (row.first !== null) return { first: row.first, count: row.count, unsent: row.unsent };
      if (row.closed !== null) return row.closed;
    }
  }

  async dispatched(id: string, key: string, unsent: readonly number[] = []): Promise<void> {
    await this.table.rows(this.sql.dispatched, [id, key, unsent]);
  }

  seal(id: string): Promise<BatchChange | undefined> {
    return this.change(this.sql.seal, [id, NOBODY]);
  }

  async begin(id: string, number: number): Promise<'go' | 'skip' | 'ended' | undefined> {
    const [row] = await this.table.rows<BeginRow>(this.sql.begin, [id, number]);
    return row?.answer;
  }

  settle(id: string, number: number, result: JobResult): Promise<BatchChange | undefined> {
    return this.change(this.sql.settle, [id, number, result]);
  }

  cancel(id: string): Promise<BatchChange | undefined> {
    return this.change(this.sql.cancel, [id, NOBODY]);
  }

  async sent(id: string, notification: StoredNotification): Promise<void> {
    await this.table.rows(this.sql.sent, [id, notification]);
  }

  async notifications(id: string): Promise<string | undefined> {
    const [row] = await this.table.rows<{ notifications: string }>(this.sql.notifications, [id]);
    return row?.notifications;
  }

  async overdue(service: string, atMost: number): Promise<string[]> {
    const rows = await this.table.rows<{ name: string }>(this.sql.overdue, [service, atMost]);
    return rows.map(({ name }) => name);
  }

  async find(id: string): Promise<StoredBatch | undefined> {
    const [row] = await this.table.rows<StoredRow>(this.sql.find, [id]);
    return row && batchOf(row);
  }

  async list(atMost: number): Promise<StoredBatch[]> {
    return (await this.table.rows<StoredRow>(this.sql.list, [atMost])).map(batchOf);
  }

  private async change(sql: string, values: readonly unknown[]): Promise<BatchChange | undefined> {
    const [row] = await this.table.rows<BatchChange>(sql, values);
    return row;
  }
}

const batchOf = ({ finishedAt, verdict, ...row }: StoredRow): StoredBatch => ({
  ...row,
  finishedAt: finishedAt ?? undefined,
  verdict: verdict ?? undefined,
});
