import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import { StoreTimeoutError } from '../../errors.js';
import { systemClock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { isRefusal } from './sql-state.js';

/** A connection of a pool's, in a transaction until that ends. */
export class PoolTransaction {
  private isOver = false;

  private constructor(
    readonly client: PoolClient,
    private readonly withinMs: number,
  ) {}

  /**
   * @param mode what stands behind BEGIN
   * @param withinMs for that, and for each statement that is asked of it unless that says otherwise
   * @throws StoreTimeoutError if the pool has no connection by then, or the database does not answer
   */
  static async begin(pool: Pool, withinMs: number, mode = ''): Promise<PoolTransaction> {
    const deadline = new Deadline(systemClock, withinMs);
    const transaction = new PoolTransaction(await connectionOf(pool, deadline), withinMs);
    try {
      await answered(transaction.client.query(`BEGIN ${mode}`), deadline);
    } catch (error) {
      transaction.abandon();
      throw error;
    }
    return transaction;
  }

  /**
   * A statement of our own. Of a connection that has gone mute nothing else would tell: without an answer in time it is closed, which
   * rolls back.
   *
   * @throws StoreTimeoutError, and what pg throws
   */
  async query<Row extends QueryResultRow>(
    text: string,
    values: unknown[] = [],
    withinMs = this.withinMs,
  ): Promise<QueryResult<Row>> {
    // The connection may be somebody else's by now.
    if (this.isOver) throw new Error('the transaction is over already');
    try {
      return await answered(this.client.query<Row>(text, values), new Deadline(systemClock, withinMs));
    } catch (error) {
      if (error instanceof StoreTimeoutError) this.abandon();
      throw error;
    }
  }

  /** @throws what pg throws; whether it is committed is not known then */
  async commit(): Promise<void> {
    const unanswered = await this.committed();
    if (unanswered) throw unanswered;
  }

  /**
   * Undefined if it is committed, or the error of a connection that was lost, or mute, before the answer: nobody knows then.
   *
   * @throws what has kept it from being committed
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
    // What has failed before, and was caught, makes PostgreSQL roll back here, without an error.
    if (command !== 'COMMIT') throw new Error('a statement in it has failed: PostgreSQL has rolled it back');
    return undefined;
  }

  /** Never rejects: a connection that can't is closed, which does the same. */
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

  /** Closes the connection, whatever runs on it. */
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

/** Told by what is asked of the connection. */
const ignored = (): void => {};

/**
 * A pool waits as long as its owner has said, which by default is for ever.
 *
 * @throws StoreTimeoutError
 */
export async function connectionOf(pool: Pool, deadline: Deadline): Promise<PoolClient> {
  let isLate = false;
  const connecting = new Promise<PoolClient>((resolve, reject) => {
    // Not by its promise: a connection that ends in the moment in which it is opened says so before anybody who awaits that runs.
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
        'Look whether it is reachable, and what else it is busy with.',
      ),
  );
}

function noConnection(withinMs: number): StoreTimeoutError {
  return new StoreTimeoutError(
    `PostgreSQL gave no connection within ${withinMs} ms`,
    'Look whether it is reachable, and whether its pool has a connection for each message that is handled at once.',
  );
}
