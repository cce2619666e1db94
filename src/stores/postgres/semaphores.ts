import type { PermitAnswer, SemaphoreStore } from '../semaphores.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf, MICROSECONDS, REMEMBERED } from './expiring-table.js';
import type { Queries } from './prepared.js';

interface Row {
  /** Null if all permits are taken. */
  readonly fence: string | null;
  readonly left_ms: number;
}

/**
 * Semaphores in PostgreSQL: a row has the name, the last fence, the owners of permits with their ends by the database's clock, and the
 * last of these ends. One row, so that who takes a permit waits for whoever takes another.
 */
export class PostgresSemaphores implements SemaphoreStore {
  private readonly table: ExpiringTable;
  private readonly sql: ReturnType<typeof statementsOf>;

  constructor(pool: Queries, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'semaphores', REMEMBERED, answerWithinMs);
    this.sql = statementsOf(this.table.name);
  }

  async acquire(name: string, limit: number, owner: string, forMs: number): Promise<PermitAnswer> {
    const values = [keyOf(name), keyOf(owner), forMs / 1_000, limit];
    const { fence, left_ms } = await this.table.settled<Row>(this.sql.acquire, values);
    if (fence !== null) return { kind: 'taken', fence: Number(fence) };
    return { kind: 'full', leftMs: Math.max(1, left_ms) };
  }

  renew(name: string, owner: string, forMs: number): Promise<boolean> {
    return this.changed(this.sql.renew, [keyOf(name), keyOf(owner), forMs / 1_000]);
  }

  async release(name: string, owner: string): Promise<void> {
    await this.changed(this.sql.release, [keyOf(name), keyOf(owner)]);
  }

  private async changed(sql: string, values: readonly unknown[]): Promise<boolean> {
    return (await this.table.settled<{ changed: boolean }>(sql, values)).changed;
  }
}

/** Ends are milliseconds since 1970. */
const NOW = '(extract(epoch FROM clock_timestamp()) * 1000)::float8';
const END = `(${NOW} + $3::float8 * 1000)`;
const UNTIL = 'clock_timestamp() + make_interval(secs => $3::float8)';
const held = (permits: string): string =>
  `jsonb_each(${permits}) AS held (owner, ends) WHERE ends::float8 > ${NOW}`;

/**
 * `acquire` returns no row if the semaphore changed after the statement began (see rate-limits.ts). The others always return a row.
 * Permits that have ended are left out whenever one is taken.
 */
const statementsOf = (table: string) => ({
  acquire: `
WITH taken AS (
  INSERT INTO ${table} AS semaphore (name, fence, permits, until)
  VALUES ($1, ${MICROSECONDS}, jsonb_build_object($2::text, ${END}), ${UNTIL})
  ON CONFLICT (name) DO UPDATE SET
    fence = greatest(semaphore.fence + 1, ${MICROSECONDS}),
    permits = (SELECT coalesce(jsonb_object_agg(owner, ends), '{}') FROM ${held('semaphore.permits')})
      || jsonb_build_object($2::text, ${END}),
    until = greatest(semaphore.until, ${UNTIL})
    WHERE (SELECT count(*) FROM ${held('semaphore.permits')} AND owner <> $2) < $4
      OR (semaphore.permits ->> $2)::float8 > ${NOW}
  RETURNING fence
)
SELECT fence, 0::float8 AS left_ms FROM taken
UNION ALL
(SELECT NULL, ends::float8 - ${NOW} FROM ${table}, ${held('permits')}
  AND name = $1 AND NOT EXISTS (SELECT FROM taken)
  ORDER BY ends::float8 DESC OFFSET $4 - 1 LIMIT 1)`,
  renew: `
WITH renewed AS (
  UPDATE ${table} SET permits = permits || jsonb_build_object($2::text, ${END}), until = greatest(until, ${UNTIL})
  WHERE name = $1 AND (permits ->> $2)::float8 > ${NOW} RETURNING name
)
SELECT EXISTS (SELECT FROM renewed) AS changed`,
  release: `
WITH released AS (UPDATE ${table} SET permits = permits - $2::text WHERE name = $1 AND permits ? $2 RETURNING name)
SELECT EXISTS (SELECT FROM released) AS changed`,
});
