import type { CheckpointStore } from '../checkpoints.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf } from './expiring-table.js';
import { plannedAnew, type Queries } from './prepared.js';

/**
 * What handlers have done so far, in PostgreSQL: a row has the key, the state, the fence of the run that has saved it, and the expiry by
 * the database's clock.
 */
export class PostgresCheckpoints implements CheckpointStore {
  private readonly table: ExpiringTable;
  private readonly sql: ReturnType<typeof statementsOf>;

  constructor(pool: Queries, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'checkpoints', 'until', answerWithinMs);
    this.sql = statementsOf(this.table.name);
  }

  async load(key: string): Promise<string | undefined> {
    const row = await this.table.settled<{ state: string | null }>(this.sql.load, [keyOf(key)]);
    return row.state ?? undefined;
  }

  async save(key: string, state: string, fence: number, keepMs: number): Promise<boolean> {
    const values = [keyOf(key), state, fence, keepMs / 1_000];
    return (await this.table.settled<{ saved: boolean }>(this.sql.save, values)).saved;
  }

  async forget(key: string): Promise<void> {
    await this.table.settled(this.sql.forget, [keyOf(key)]);
  }
}

/** Each returns a row. */
const statementsOf = (table: string) => ({
  load: plannedAnew(
    `SELECT (SELECT state FROM ${table} WHERE name = $1 AND until > clock_timestamp()) AS state`,
  ),
  save: `
WITH saved AS (
  INSERT INTO ${table} AS checkpoint (name, state, fence, until)
  VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
  ON CONFLICT (name) DO UPDATE SET state = $2, fence = $3, until = clock_timestamp() + make_interval(secs => $4)
    WHERE checkpoint.fence <= $3 OR checkpoint.until <= clock_timestamp()
  RETURNING name
)
SELECT EXISTS (SELECT FROM saved) AS saved`,
  forget: plannedAnew(`
WITH gone AS (DELETE FROM ${table} WHERE name = $1 RETURNING name)
SELECT EXISTS (SELECT FROM gone) AS gone`),
});
