import type { LeaseAnswer, LeaseState, LeaseStore } from '../leases.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf, MICROSECONDS, REMEMBERED } from './expiring-table.js';
import { plannedAnew, type Queries } from './prepared.js';

interface Row {
  /** Null if another has the lease, or it is done. */
  readonly fence: string | null;
  readonly left_ms: number;
  readonly done: boolean;
}

interface Looked extends Pick<Row, 'left_ms' | 'done'> {
  readonly released: boolean;
}

/** Owner of a lease that was given back: no key is empty. */
const NOBODY = "''";

/** Leases in PostgreSQL: a row has the name, its fence, its owner, whether it is done, and its end by the database's clock. */
export class PostgresLeases implements LeaseStore {
  private readonly table: ExpiringTable;
  private readonly sql: ReturnType<typeof statementsOf>;

  constructor(pool: Queries, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'leases', REMEMBERED, answerWithinMs);
    this.sql = statementsOf(this.table.name);
  }

  async take(name: string, owner: string, forMs: number): Promise<LeaseAnswer> {
    const values = [keyOf(name), keyOf(owner), forMs / 1_000];
    const { fence, left_ms, done } = await this.table.settled<Row>(this.sql.take, values);
    if (fence !== null) return { kind: 'taken', fence: Number(fence) };
    return done ? { kind: 'done' } : { kind: 'held', leftMs: Math.max(1, left_ms) };
  }

  async look(name: string): Promise<LeaseState> {
    const { left_ms, done, released } = await this.table.settled<Looked>(this.sql.look, [keyOf(name)]);
    if (done) return 'done';
    if (released) return 'released';
    return left_ms === 0 ? 'free' : Math.max(1, left_ms);
  }

  renew(name: string, fence: number, forMs: number): Promise<boolean> {
    return this.changed(this.sql.renew, [keyOf(name), fence, forMs / 1_000]);
  }

  finish(name: string, fence: number, keepMs: number): Promise<boolean> {
    return this.changed(this.sql.finish, [keyOf(name), fence, keepMs / 1_000]);
  }

  async release(name: string, fence: number): Promise<void> {
    await this.changed(this.sql.release, [keyOf(name), fence]);
  }

  private async changed(sql: string, values: readonly unknown[]): Promise<boolean> {
    return (await this.table.settled<{ changed: boolean }>(sql, values)).changed;
  }
}

const UNTIL = 'clock_timestamp() + make_interval(secs => $3)';
const LEFT_MS = 'extract(epoch FROM until - clock_timestamp())::float8 * 1000';

/**
 * `take` returns no row if the lease changed after the statement began (see rate-limits.ts). The others always return a row. A lease
 * that is given back has ended, and keeps its fence.
 */
const statementsOf = (table: string) => ({
  take: `
WITH taken AS (
  INSERT INTO ${table} AS lease (name, owner, fence, until) VALUES ($1, $2, ${MICROSECONDS}, ${UNTIL})
  ON CONFLICT (name) DO UPDATE SET owner = $2, done = false, until = ${UNTIL},
    fence = CASE WHEN lease.until > clock_timestamp() THEN lease.fence ELSE greatest(lease.fence + 1, ${MICROSECONDS}) END
    WHERE lease.until <= clock_timestamp() OR (lease.owner = $2 AND NOT lease.done)
  RETURNING fence
)
SELECT fence, 0::float8 AS left_ms, false AS done FROM taken
UNION ALL
SELECT NULL, ${LEFT_MS}, done FROM ${table}
  WHERE name = $1 AND until > clock_timestamp() AND NOT EXISTS (SELECT FROM taken)`,
  look: plannedAnew(`
SELECT greatest(coalesce(max(${LEFT_MS}), 0), 0) AS left_ms,
  coalesce(bool_or(done AND until > clock_timestamp()), false) AS done,
  coalesce(bool_or(owner = ${NOBODY} AND until <= clock_timestamp()), false) AS released
  FROM ${table} WHERE name = $1`),
  renew: changing(`UPDATE ${table} SET until = ${UNTIL}
  WHERE name = $1 AND fence = $2 AND until > clock_timestamp() AND NOT done`),
  finish: changing(`UPDATE ${table} SET done = true, until = ${UNTIL}
  WHERE name = $1 AND fence = $2 AND until > clock_timestamp()`),
  release: changing(`UPDATE ${table} SET owner = ${NOBODY}, until = clock_timestamp()
  WHERE name = $1 AND fence = $2 AND until > clock_timestamp() AND NOT done`),
});

/** A row that says whether a change has found the row that it is for. */
const changing = (sql: string): string =>
  plannedAnew(`
WITH found AS (${sql} RETURNING name) SELECT EXISTS (SELECT FROM found) AS changed`);
