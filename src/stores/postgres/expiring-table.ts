import { createHash } from 'node:crypto';
import type { QueryResultRow } from 'pg';
import { StoreNotMigratedError, StoreTimeoutError } from '../../errors.js';
import { pause, systemClock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import type { Queries } from './prepared.js';
import { quoted } from './schema.js';
import { isOvertaken, isSerializationFailure, isUndefinedTable } from './sql-state.js';

/** Deadline of an answer. A pool waits as long as its owner has set, which by default is without limit. */
export const ANSWER_WITHIN_MS = 5_000;

/** Tries for a row that others keep changing. */
const MOST_QUESTIONS = 5;

/** Rounds of such tries, if an answer is needed. */
const MOST_ROUNDS = 20;

const SWEEP_EVERY_MS = 60_000;
const SWEEP_AT_MOST = 10_000;

/** Longest random pause between two rounds, so that concurrent callers drift apart. */
const PAUSE_AT_MOST_MS = 10;

/** The database's clock, in microseconds since 1970, for numbers that grow. */
export const MICROSECONDS = '(extract(epoch FROM clock_timestamp()) * 1000000)::bigint';

/**
 * Expiry of rows with fences, a minute after what they are for has ended: a server whose clock is behind, as after a failover, gives
 * higher ones all the same.
 */
export const REMEMBERED = "until + interval '1 minute'";

/** A table whose rows expire: queried with a deadline, and swept now and then. */
export class ExpiringTable {
  /** Quoted name, with the schema. */
  readonly name: string;
  private readonly sweep: string;
  private sweepAt = 0;

  /** @param until a row's expiry, as SQL: a column */
  constructor(
    private readonly pool: Queries,
    private readonly schema: string,
    table: string,
    until: string,
    private readonly answerWithinMs: number,
  ) {
    this.name = `${quoted(schema)}.${table}`;
    this.sweep = sweepOf(this.name, until);
  }

  /**
   * Row that a statement returns; undefined if others changed the row during each try.
   *
   * @throws StoreTimeoutError, StoreNotMigratedError
   */
  async ask<Row extends QueryResultRow>(sql: string, values: readonly unknown[]): Promise<Row | undefined> {
    const deadline = new Deadline(systemClock, this.answerWithinMs);
    const row = await deadline.race(this.askAgain<Row>(sql, values), () => this.mute());
    this.sweepNowAndThen();
    return row;
  }

  /**
   * All rows that a statement returns, possibly none. Repeated until no other transaction interferes.
   *
   * @throws StoreTimeoutError, StoreNotMigratedError
   */
  async rows<Row extends QueryResultRow>(sql: string, values: readonly unknown[]): Promise<Row[]> {
    const deadline = new Deadline(systemClock, this.answerWithinMs);
    const rows = await deadline.race(this.rowsBy<Row>(deadline, sql, values), () => this.mute());
    this.sweepNowAndThen();
    return rows;
  }

  private async rowsBy<Row extends QueryResultRow>(
    deadline: Deadline,
    sql: string,
    values: readonly unknown[],
  ): Promise<Row[]> {
    for (;;) {
      try {
        return (await this.pool.query<Row>(sql, [...values])).rows;
      } catch (error) {
        if (isUndefinedTable(error))
          throw new StoreNotMigratedError(this.name, this.schema, { cause: error });
        if (!isOvertaken(error) || deadline.expired) throw error;
        await pause(systemClock, Math.random() * PAUSE_AT_MOST_MS);
      }
    }
  }

  /**
   * Row that a statement returns; repeated as long as others change it.
   *
   * @throws StoreTimeoutError, StoreNotMigratedError
   */
  async settled<Row extends QueryResultRow>(sql: string, values: readonly unknown[]): Promise<Row> {
    for (let round = 1; round <= MOST_ROUNDS; round += 1) {
      const row = await this.ask<Row>(sql, values);
      if (row) return row;
      await pause(systemClock, Math.random() * PAUSE_AT_MOST_MS);
    }
    throw new StoreTimeoutError(
      `a row of ${this.name} was changed by others during each of ${MOST_ROUNDS * MOST_QUESTIONS} queries`,
      'Try again later: too many processes use the same key at once.',
    );
  }

  private async askAgain<Row extends QueryResultRow>(
    sql: string,
    values: readonly unknown[],
  ): Promise<Row | undefined> {
    for (let question = 1; question <= MOST_QUESTIONS; question += 1) {
      const row = await this.askOnce<Row>(sql, values);
      if (row) return row;
    }
    return undefined;
  }

  /** Undefined if the row changed during the statement: a new statement sees the change. */
  private async askOnce<Row extends QueryResultRow>(
    sql: string,
    values: readonly unknown[],
  ): Promise<Row | undefined> {
    try {
      const { rows } = await this.pool.query<Row>(sql, [...values]);
      return rows[0];
    } catch (error) {
      if (isSerializationFailure(error)) return undefined;
      if (isUndefinedTable(error)) throw new StoreNotMigratedError(this.name, this.schema, { cause: error });
      throw error;
    }
  }

  private mute(): Error {
    return new StoreTimeoutError(
      `PostgreSQL did not answer within ${this.answerWithinMs} ms`,
      'Check whether it can be reached, and whether its pool has free connections.',
    );
  }

  /** Runs at most once a minute, and is not awaited: a fault shows in the next query, too. */
  sweepNowAndThen(): void {
    const now = systemClock.monotonic();
    if (now < this.sweepAt) return;
    this.sweepAt = now + SWEEP_EVERY_MS;
    this.pool.query(this.sweep).then(
      ({ rowCount }) => {
        if (rowCount === SWEEP_AT_MOST) this.sweepAt = 0; // more rows are left
      },
      () => {},
    );
  }
}

/**
 * A key that PostgreSQL can store: its texts hold no NUL, and an index entry is below 2,704 bytes. It comes back from there as it is here: a
 * lone surrogate has no form in UTF-8, and is replaced as pg would.
 */
export function keyOf(name: string): string {
  const fits = name.length <= 500 && !name.includes('\0');
  return fits ? name.toWellFormed() : `sha256:${createHash('sha256').update(name).digest('hex')}`;
}

/**
 * Deletes expired rows, without an index on the expiry, whose cost every change would pay. Rows that are locked
 * are skipped, so that nobody waits for a sweep, and sweeps don't wait for each other.
 */
const sweepOf = (table: string, until: string): string => `
DELETE FROM ${table} WHERE name IN (
  SELECT name FROM ${table} WHERE ${until} <= clock_timestamp()
  LIMIT ${SWEEP_AT_MOST} FOR UPDATE SKIP LOCKED
)`;
