import type { StoredNotification } from '../../../message/batch.js';
import type {
  BatchChange,
  BatchStore,
  Closed,
  JobResult,
  NewBatch,
  ReservedNumbers,
  StoredBatch,
} from '../../batches.js';
import { ANSWER_WITHIN_MS, ExpiringTable } from '../expiring-table.js';
import { Gathered } from '../gathered.js';
import type { Queries } from '../prepared.js';
import { quoted } from '../schema.js';
import { batchStatements } from './batches-sql.js';
import { changesOf, type Settling } from './settling.js';

interface NumbersRow {
  readonly first: number | null;
  readonly count: number;
  readonly unsent: number[];
  readonly closed: Closed | null;
}

type BeginAnswer = Awaited<ReturnType<BatchStore['begin']>>;

interface Job {
  readonly id: string;
  readonly number: number;
}

interface EndedJob {
  readonly number: number;
  readonly result: JobResult;
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
  private readonly begins: Gathered<Job, BeginAnswer>;
  /** The ends of each batch's jobs that are being told. */
  private readonly ends = new Map<string, Gathered<EndedJob, BatchChange | undefined>>();

  /** @param pool a pool, or a single connection in a command */
  constructor(pool: Queries, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'batches', 'until', answerWithinMs);
    this.sql = batchStatements(quoted(schema));
    this.begins = new Gathered({ ask: (jobs) => this.beginAll(jobs) });
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
    return this.change(this.sql.seal, [id]);
  }

  begin(id: string, number: number): Promise<BeginAnswer> {
    return this.begins.add({ id, number });
  }

  /** One statement of a batch at a time: another would wait for its row, while more jobs end. */
  async settle(id: string, number: number, result: JobResult): Promise<BatchChange | undefined> {
    let ends = this.ends.get(id);
    if (!ends) {
      ends = new Gathered({ ask: (jobs) => this.settleAll(id, jobs), keyOf: (job) => job.number, atOnce: 1 });
      this.ends.set(id, ends);
    }
    try {
      return await ends.add({ number, result });
    } finally {
      if (ends.isIdle) this.ends.delete(id);
    }
  }

  cancel(id: string): Promise<BatchChange | undefined> {
    return this.change(this.sql.cancel, [id]);
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

  private async beginAll(jobs: readonly Job[]): Promise<BeginAnswer[]> {
    const answers: BeginAnswer[] = jobs.map(() => undefined);
    const values = [jobs.map(({ id }) => id), jobs.map(({ number }) => number)];
    const rows = await this.table.rows<{ place: number; answer: BeginAnswer }>(this.sql.begin, values);
    for (const { place, answer } of rows) answers[place - 1] = answer;
    return answers;
  }

  private async settleAll(id: string, jobs: readonly EndedJob[]): Promise<(BatchChange | undefined)[]> {
    const values = [id, jobs.map(({ number }) => number), jobs.map(({ result }) => result)];
    const [settling] = await this.table.rows<Settling>(this.sql.settle, values);
    if (!settling) return jobs.map(() => undefined);
    return changesOf(
      settling,
      jobs.map(({ number }) => number),
    );
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
