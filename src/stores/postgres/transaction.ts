import type { Pool, PoolClient } from 'pg';
import { StoreTimeoutError } from '../../errors.js';
import { systemClock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { isRefusal } from './sql-state.js';

/** A connection of a pool's, in a transaction until that ends. */
export class PoolTransaction {
  private isOver = false;

  private constructor(readonly client: PoolClient) {}

  /**
   * @param mode what stands behind BEGIN
   * @throws StoreTimeoutError if the pool has no connection by then, or the database does not answer
   */
  static async begin(pool: Pool, withinMs: number, mode = ''): Promise<PoolTransaction> {
    const deadline = new Deadline(systemClock, withinMs);
    const transaction = new PoolTransaction(await connectionOf(pool, deadline));
    try {
      const begun = transaction.client.query(`BEGIN ${mode}`);
      await deadline.race(begun, () => mute(withinMs));
    } catch (error) {
      transaction.abandon();
      throw error;
    }
    return transaction;
  }

  /** @throws what pg throws; whether it is committed is not known then */
  async commit(): Promise<void> {
    const unanswered = await this.committed();
    if (unanswered) throw unanswered;
  }

  /**
   * Undefined if it is committed, or the error of a connection that was lost before the answer: nobody knows then.
   *
   * @throws what has kept it from being committed
   */
  async committed(): Promise<Error | undefined> {
    if (this.isOver) throw new Error('the transaction is over already');
    let command: string;
    try {
      ({ command } = await this.client.query('COMMIT'));
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
      await this.client.query('ROLLBACK');
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
  const connecting = pool.connect();
  try {
    const client = await deadline.race(connecting, () => mute(deadline.durationMs));
    client.on('error', ignored);
    return client;
  } catch (error) {
    connecting.then(
      (late) => late.release(),
      () => {},
    );
    throw error;
  }
}

function mute(withinMs: number): StoreTimeoutError {
  return new StoreTimeoutError(
    `PostgreSQL gave no connection within ${withinMs} ms`,
    'Look whether it is reachable, and whether its pool has a connection for each message that is handled at once.',
  );
}
