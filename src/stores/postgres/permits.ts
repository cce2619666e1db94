import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { StoreNotMigratedError, StoreTimeoutError } from '../../errors.js';
import { systemClock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import type { PermitStore } from '../permits.js';
import { quoted } from './schema.js';

/** A pool waits as long as its owner has said, which by default is for ever. */
const ANSWER_WITHIN_MS = 5_000;

/** Questions for one permit that goes from hand to hand meanwhile. */
const MOST_QUESTIONS = 5;

const SWEEP_EVERY_MS = 60_000;
const SWEEP_AT_MOST = 10_000;

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNDEFINED_TABLE = '42P01';
const SERIALIZATION_FAILURE = '40001';

/**
 * Permits as rows: a name, and until when it is taken, by the clock of the database. (rate-limiter-flexible, which keeps
 * them in Redis, goes by the clock of each process in PostgreSQL: one that is ahead takes what others still have.)
 */
export class PostgresPermits implements PermitStore {
  private readonly table: string;
  private readonly sql: { readonly take: string; readonly sweep: string };
  private sweepAt = 0;

  constructor(
    private readonly pool: Pool,
    private readonly schema: string,
    private readonly answerWithinMs = ANSWER_WITHIN_MS,
  ) {
    this.table = `${quoted(schema)}.permits`;
    this.sql = { take: takeFrom(this.table), sweep: sweepOf(this.table) };
  }

  async take(name: string, seconds: number): Promise<number> {
    const deadline = new Deadline(systemClock, this.answerWithinMs);
    // What is answered too late may have taken the permit, for nobody: it comes back like any other.
    const waitMs = await deadline.race(this.ask(keyOf(name), seconds), () => this.mute());
    this.sweepNowAndThen();
    return waitMs;
  }

  private async ask(key: string, seconds: number): Promise<number> {
    for (let question = 1; question <= MOST_QUESTIONS; question += 1) {
      const waitMs = await this.askOnce(key, seconds);
      if (waitMs !== undefined) return waitMs;
    }
    return seconds * 1_000; // with each question somebody else had just taken it
  }

  /** Undefined if the permit changed hands while the statement ran: a new one sees who has it. */
  private async askOnce(key: string, seconds: number): Promise<number | undefined> {
    try {
      const { rows } = await this.pool.query<{ wait_ms: number }>(this.sql.take, [key, seconds]);
      return rows[0] && Number(rows[0].wait_ms);
    } catch (error) {
      const { code } = error as { code?: unknown };
      // Where transactions are serializable by default, PostgreSQL says it so.
      if (code === SERIALIZATION_FAILURE) return undefined;
      if (code === UNDEFINED_TABLE)
        throw new StoreNotMigratedError(this.table, this.schema, { cause: error });
      throw error;
    }
  }

  private mute(): Error {
    return new StoreTimeoutError(
      `PostgreSQL did not answer within ${this.answerWithinMs} ms`,
      'Look whether it is reachable, and whether its pool has connections left.',
    );
  }

  /** At most once a minute, and nobody waits for it; who asks next hears of what is wrong. */
  private sweepNowAndThen(): void {
    const now = systemClock.monotonic();
    if (now < this.sweepAt) return;
    this.sweepAt = now + SWEEP_EVERY_MS;
    this.pool.query(this.sql.sweep).then(
      ({ rowCount }) => {
        if (rowCount === SWEEP_AT_MOST) this.sweepAt = 0; // there are more
      },
      () => {},
    );
  }
}

/** A text of PostgreSQL's holds no NUL, and a key of an index is below 2,704 bytes. */
function keyOf(name: string): string {
  const fits = name.length <= 500 && !name.includes('\0');
  return fits ? name : `sha256:${createHash('sha256').update(name).digest('hex')}`;
}

/**
 * Takes the permit if nobody has it: 0. Else how long it is still taken; no row if it was taken after the statement began,
 * since that reads what was there before. An insert that meets another waits for it and looks at what it left, so that of
 * many who ask at once one has it.
 */
const takeFrom = (table: string): string => `
WITH taken AS (
  INSERT INTO ${table} AS permit (name, taken_until)
  VALUES ($1, clock_timestamp() + make_interval(secs => $2))
  ON CONFLICT (name) DO UPDATE SET taken_until = clock_timestamp() + make_interval(secs => $2)
    WHERE permit.taken_until <= clock_timestamp()
  RETURNING name
)
SELECT 0::float8 AS wait_ms FROM taken
UNION ALL
SELECT extract(epoch FROM taken_until - clock_timestamp())::float8 * 1000
  FROM ${table} WHERE name = $1 AND taken_until > clock_timestamp() AND NOT EXISTS (SELECT FROM taken)`;

/**
 * Without an index on the time: each taking would pay for it. Rows that somebody is taking just now are passed over, so
 * that nobody waits for a sweep, nor sweeps for each other.
 */
const sweepOf = (table: string): string => `
DELETE FROM ${table} WHERE name IN (
  SELECT name FROM ${table} WHERE taken_until <= clock_timestamp()
  LIMIT ${SWEEP_AT_MOST} FOR UPDATE SKIP LOCKED
)`;
