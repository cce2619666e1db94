import type { UniqueStore } from '../unique.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf, MICROSECONDS } from './expiring-table.js';
import type { Queries } from './prepared.js';

/**
 * Keys of unique messages in PostgreSQL: a row per lock, with its owner, and a row per sequence, with the last number and the
 * latest that counts. Both expire by the database's clock.
 */
export class PostgresUnique implements UniqueStore {
  private readonly locks: ExpiringTable;
  private readonly sequences: ExpiringTable;
  private readonly locksSql: ReturnType<typeof lockStatements>;
  private readonly sequencesSql: ReturnType<typeof sequenceStatements>;

  constructor(pool: Queries, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.locks = new ExpiringTable(pool, schema, 'locks', 'until', answerWithinMs);
    this.sequences = new ExpiringTable(pool, schema, 'sequences', 'until', answerWithinMs);
    this.locksSql = lockStatements(this.locks.name);
    this.sequencesSql = sequenceStatements(this.sequences.name);
  }

  async acquire(key: string, owner: string, forMs: number): Promise<string | undefined> {
    const row = await this.locks.settled<{ owner: string }>(this.locksSql.acquire, [
      keyOf(key),
      owner,
      forMs / 1_000,
    ]);
    return row.owner === owner.toWellFormed() ? undefined : row.owner;
  }

  async extend(key: string, owner: string, forMs: number): Promise<boolean> {
    const row = await this.locks.settled<{ extended: boolean }>(this.locksSql.extend, [
      keyOf(key),
      owner,
      forMs / 1_000,
    ]);
    return row.extended;
  }

  async release(key: string, owner: string): Promise<void> {
    await this.locks.settled(this.locksSql.release, [keyOf(key), owner]);
  }

  async next(key: string, keepMs: number): Promise<number> {
    const row = await this.sequences.settled<{ number: string }>(this.sequencesSql.next, [
      keyOf(key),
      keepMs / 1_000,
    ]);
    return Number(row.number);
  }

  async advance(key: string, number: number, keepMs: number): Promise<boolean> {
    const row = await this.sequences.settled<{ newest: boolean }>(this.sequencesSql.advance, [
      keyOf(key),
      keepMs / 1_000,
      number,
    ]);
    return row.newest;
  }
}

/**
 * `acquire` returns the final holder; it returns no row if that changed after the statement began. The other
 * two always return a row.
 */
const lockStatements = (table: string) => ({
  acquire: `
WITH acquired AS (
  INSERT INTO ${table} AS lock (name, owner, until)
  VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
  ON CONFLICT (name) DO UPDATE SET owner = $2, until = CASE lock.owner WHEN $2
      THEN greatest(lock.until, clock_timestamp() + make_interval(secs => $3))
      ELSE clock_timestamp() + make_interval(secs => $3) END
    WHERE lock.until <= clock_timestamp() OR lock.owner = $2
  RETURNING owner
)
SELECT owner FROM acquired
UNION ALL
SELECT owner FROM ${table} WHERE name = $1 AND until > clock_timestamp() AND NOT EXISTS (SELECT FROM acquired)`,
  extend: `
WITH extended AS (
  UPDATE ${table} SET until = greatest(until, clock_timestamp() + make_interval(secs => $3))
  WHERE name = $1 AND owner = $2 AND until > clock_timestamp() RETURNING name
)
SELECT EXISTS (SELECT FROM extended) AS extended`,
  release: `
WITH gone AS (DELETE FROM ${table} WHERE name = $1 AND owner = $2 RETURNING name)
SELECT EXISTS (SELECT FROM gone) AS released`,
});

const UNTIL = 'clock_timestamp() + make_interval(secs => $2)';

const sequenceStatements = (table: string) => ({
  next: `
INSERT INTO ${table} AS known (name, given, latest, until) VALUES ($1, ${MICROSECONDS}, 0, ${UNTIL})
ON CONFLICT (name) DO UPDATE SET
  given = greatest(${MICROSECONDS}, known.given + 1, known.latest + 1), until = greatest(known.until, ${UNTIL})
RETURNING given AS number`,
  advance: `
INSERT INTO ${table} AS known (name, given, latest, until) VALUES ($1, 0, $3::bigint, ${UNTIL})
ON CONFLICT (name) DO UPDATE SET
  latest = greatest(known.latest, $3::bigint), until = greatest(known.until, ${UNTIL})
RETURNING latest <= $3::bigint AS newest`,
});
