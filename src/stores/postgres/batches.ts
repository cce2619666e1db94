import type { Pool } from 'pg';
import type { BatchCallback } from '../../message/batch.js';
import type {
  BatchChange,
  BatchRecord,
  BatchStore,
  Closed,
  JobResult,
  NewBatch,
  ReservedNumbers,
} from '../batches.js';
import { batchStatements, type ChangeRow, NOBODY, type RecordRow } from './batches-sql.js';
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

/** Batches in PostgreSQL: a row for each batch, for each ended job, and for each group of numbers reserved together. */
export class PostgresBatches implements BatchStore {
  private readonly table: ExpiringTable;
  private readonly sql: ReturnType<typeof batchStatements>;

  /** @param pool a pool, or a single connection in a command */
  constructor(pool: Pick<Pool, 'query'>, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'batches', 'until', answerWithinMs);
    this.sql = batchStatements(quoted(schema));
  }

  async open({ id, name, service, allowsFailures, callbacks, keepMs }: NewBatch): Promise<void> {
    const values = [id, name, allowsFailures, callbacks, keepMs / 1_000, service];
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

  async sent(id: string, callback: BatchCallback): Promise<void> {
    await this.table.rows(this.sql.sent, [id, callback]);
  }

  async callbacks(id: string): Promise<string | undefined> {
    const [row] = await this.table.rows<{ callbacks: string }>(this.sql.callbacks, [id]);
    return row?.callbacks;
  }

  async overdue(service: string, atMost: number): Promise<string[]> {
    const rows = await this.table.rows<{ name: string }>(this.sql.overdue, [service, atMost]);
    return rows.map(({ name }) => name);
  }

  async find(id: string): Promise<BatchRecord | undefined> {
    const [row] = await this.table.rows<RecordRow>(this.sql.find, [id]);
    return row && recordOf(row);
  }

  async list(atMost: number): Promise<BatchRecord[]> {
    return (await this.table.rows<RecordRow>(this.sql.list, [atMost])).map(recordOf);
  }

  private async change(sql: string, values: readonly unknown[]): Promise<BatchChange | undefined> {
    const [row] = await this.table.rows<ChangeRow>(sql, values);
    if (!row) return undefined;
    const { total, done, failed, skipped, progress, verdict_due: verdict, finally_due: isFinallyDue } = row;
    const due: BatchCallback[] = [
      ...(verdict ? [verdict] : []),
      ...(isFinallyDue ? ['finally' as const] : []),
    ];
    return {
      ...{ total, done, failed, skipped, progress, due },
      hasCancelled: row.has_cancelled,
      hasFinished: row.has_finished,
      hasProgressed: row.has_progressed,
      unsent: row.unsent ?? [],
    };
  }
}

function recordOf(row: RecordRow): BatchRecord {
  const {
    name,
    title,
    initial,
    total,
    done,
    failed,
    skipped,
    progress,
    verdict,
    finally_at: finishedAt,
  } = row;
  const unsent: BatchCallback[] = [];
  if (verdict && !row.verdict_sent) unsent.push(verdict);
  if (finishedAt && !row.finally_sent) unsent.push('finally');
  return {
    id: name,
    name: title,
    ...{ total, done, failed, skipped, progress, unsent },
    allowsFailures: row.allows_failures,
    initial,
    isSealed: row.sealed,
    isCancelled: row.cancelled,
    createdAt: row.created_at.getTime(),
    finishedAt: finishedAt?.getTime(),
    verdict: verdict ?? undefined,
  };
}
