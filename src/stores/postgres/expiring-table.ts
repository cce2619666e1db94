import { createHash } from 'node:crypto';
import type { Pool, QueryResultRow } from 'pg';
import { StoreNotMigratedError, StoreTimeoutError } from '../../errors.js';
import { pause, systemClock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { quoted } from './schema.js';
import { isOvertaken, isSerializationFailure, isUndefinedTable } from './sql-state.js';

/** A pool waits as long as its owner has said, which by default is for ever. */
export const ANSWER_WITHIN_MS = 5_000;

/** Questions for one row that goes from hand to hand meanwhile. */
const MOST_QUESTIONS = 5;

/** Of so many questions each, for one that has to be answered. */
const MOST_ROUNDS = 20;

const SWEEP_EVERY_MS = 60_000;
const SWEEP_AT_MOST = 10_000;

/** Between two questions, so that those who ask at once come apart. */
const PAUSE_AT_MOST_MS = 10;

/** A table whose rows are over when their time is: asked with a deadline, and swept now and then. */
export class ExpiringTable {
  /** With its schema, quoted. */
  readonly name: string;
  private readonly sweep: string;
  private sweepAt = 0;

  /** @param until column that says when a row is over */
  constructor(
    private readonly pool: Pick<Pool, 'query'>,
    private readonly schema: string,
    table: string,
    until: string,
    private readonly answerWithinMs: number,
  ) {
    this.name = `${quoted(schema)}.${table}`;
    this.sweep = sweepOf(this.name, until);
  }

  /**
   * The row that a statement answers with; undefined if each time somebody else changed it while the statement ran.
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
   * All rows that a statement answers with, which may be none. Asked until no other transaction is in its way.
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
   * The row that a statement answers with, asked again while others change it.
   *
   * @throws StoreTimeoutError, StoreNotMigratedError
   */
  async settled<Row extends QueryResultRow>(sql: string, values: readonly unknown[]): Promise<Row> {
    for (let round = 1; round <= MOST_ROUNDS; round += 1) {
      const row = await this.ask<Row>(sql, values);
      if (row) return row;
    }
    throw new StoreTimeoutError(
      `a row of ${this.name} has changed with each of ${MOST_ROUNDS * MOST_QUESTIONS} questions for it`,
      'Too many ask for the same key at once: try again later.',
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

  /** Undefined if the row changed hands while the statement ran: a new one sees who has it. */
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
      'Look whether it is reachable, and whether its pool has connections left.',
    );
  }

  /** At most once a minute, and nobody waits for it; who asks next hears of what is wrong. Asking does it, too. */
  sweepNowAndThen(): void {
    const now = systemClock.monotonic();
    if (now < this.sweepAt) return;
    this.sweepAt = now + SWEEP_EVERY_MS;
    this.pool.query(this.sweep).then(
      ({ rowCount }) => {
        if (rowCount === SWEEP_AT_MOST) this.sweepAt = 0; // there are more
      },
      () => {},
    );
  }
}

/** A text of PostgreSQL's holds no NUL, and a key of an index is below 2,704 bytes. */
export function keyOf(name: string): string {
  const fits = name.length <= 500 && !name.includes('\0');
  return fits ? name : `sha256:${createHash('sha256').update(name).digest('hex')}`;
}

/**
 * Without an index on the time: each change would pay for it. Rows that somebody is changing just now are passed over, so
 * that nobody waits for a sweep, nor sweeps for each other.
 */
const sweepOf = (table: string, until: string): string => `
DELETE FROM ${table} WHERE name IN (
  SELECT name FROM ${table} WHERE ${until} <= clock_timestamp()
  LIMIT ${SWEEP_AT_MOST} FOR UPDATE SKIP LOCKED
)`;
