import type { PoolClient, QueryResult, QueryResultRow } from 'pg';
import { StoreTimeoutError } from '../../errors.js';
import { systemClock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import type { Connections, Prepared } from './prepared.js';
import { isRefusal } from './sql-state.js';

/** A pool's connection, in a transaction until that ends. */
export class PoolTransaction {
  private isOver = false;

  private constructor(
    readonly client: PoolClient,
    private readonly withinMs: number,
    private readonly prepared: Prepared | undefined,
  ) {}

  /**
   * @param mode transaction mode, appended to BEGIN
   * @param withinMs deadline for the beginning, and for each statement without its own
   * @throws StoreTimeoutError if the pool has no connection by then, or the database does not answer
   */
  static async begin(pool: Connections, withinMs: number, mode = ''): Promise<PoolTransaction> {
    const deadline = new Deadline(systemClock, withinMs);
    const transaction = new PoolTransaction(await connectionOf(pool, deadline), withinMs, pool.prepared);
    try {
      await answered(transaction.client.query(`BEGIN ${mode}`), deadline);
    } catch (error) {
      transaction.abandon();
      throw error;
    }
    return transaction;
  }

  /**
   * Runs a statement of Hopline's own. If a connection no longer answers, only the deadline shows it: the
   * connection is then closed, which rolls back.
   *
   * @throws StoreTimeoutError; the errors of pg
   */
  async query<Row extends QueryResultRow>(
    text: string,
    values: unknown[] = [],
    withinMs = this.withinMs,
  ): Promise<QueryResult<Row>> {
    // The connection may belong to another user of the pool by now.
    if (this.isOver) throw new Error('the transaction is over already');
    try {
      const { client, prepared } = this;
      const asked = prepared ? prepared.query<Row>(client, text, values) : client.query<Row>(text, values);
      return await answered(asked, new Deadline(systemClock, withinMs));
    } catch (error) {
      if (error instanceof StoreTimeoutError) this.abandon();
      throw error;
    }
  }

  /** @throws the error of pg; the transaction may be committed then */
  async commit(): Promise<void> {
    const unanswered = await this.committed();
    if (unanswered) throw unanswered;
  }

  /**
   * Undefined after a commit; the error if the connection was lost or did not answer, and the result is
   * unknown.
   *
   * @throws the error that prevented the commit
   */
  async committed(): Promise<Error | undefined> {
    if (this.isOver) throw new Error('the transaction is over already');
    let command: string;
    try {
      ({ command } = await this.query('COMMIT'));
    } catch (error) {
      this.abandon();
      if (isRefusal(error)) throw error;
      return error as Error;
    }
    this.release(command !== 'COMMIT');
    // After a failed statement whose error was caught, PostgreSQL answers COMMIT with a rollback, without an
    // error.
    if (command !== 'COMMIT') throw new Error('a statement in it has failed: PostgreSQL has rolled it back');
    return undefined;
  }

  /** Never rejects: if the rollback fails, the connection is closed, with the same effect. */
  async rollBack(): Promise<void> {
    if (this.isOver) return;
    try {
      await this.query('ROLLBACK');
    } catch {
      this.abandon();
      return;
    }
    this.release();
  }

  /** Closes the connection, whatever statement runs on it. */
  abandon(): void {
    this.release(true);
  }

  private release(isToClose = false): void {
    if (this.isOver) return;
    this.isOver = true;
    this.client.off('error', ignored);
    this.client.release(isToClose);
  }
}

/** The next statement on the connection reports the error. */
const ignored = (): void => {};

/**
 * A connection of the pool. A pool waits as long as its owner has set, which by default is without limit.
 *
 * @throws StoreTimeoutError
 */
export async function connectionOf(pool: Connections, deadline: Deadline): Promise<PoolClient> {
  let isLate = false;
  const connecting = new Promise<PoolClient>((resolve, reject) => {
    // With a callback instead of the promise: a connection that ends as it is opened reports that before a
    // caller who awaits the promise runs.
    pool.connect((error, client) => {
      if (!client) reject(error);
      else if (isLate) client.release();
      else resolve(client.on('error', ignored));
    });
  });
  try {
    return await deadline.race(connecting, () => noConnection(deadline.durationMs));
  } catch (error) {
    isLate = true;
    throw error;
  }
}

/** @throws StoreTimeoutError */
export function answered<T>(asked: Promise<T>, deadline: Deadline): Promise<T> {
  return deadline.race(
    asked,
    () =>
      new StoreTimeoutError(
        `PostgreSQL did not answer within ${deadline.durationMs} ms`,
        'Check whether it can be reached, and what else it is busy with.',
      ),
  );
}

function noConnection(withinMs: number): StoreTimeoutError {
  return new StoreTimeoutError(
    `PostgreSQL gave no connection within ${withinMs} ms`,
    'Check whether it can be reached, and whether its pool has a connection for each message that is handled at once.',
  );
}
