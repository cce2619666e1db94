import type { Pool } from 'pg';
import { OptionsError } from '../../errors.js';
import { flag, having, problemsOf, required } from '../../util/check.js';
import type { Stores } from '../stores.js';
import { PostgresBatches } from './batches/batches.js';
import { PostgresCheckpoints } from './checkpoints.js';
import { PostgresIdempotency } from './idempotency.js';
import { PostgresInbox } from './inbox.js';
import { PostgresJobs } from './jobs.js';
import { PostgresLeases } from './leases.js';
import { PostgresOnce } from './once.js';
import { PostgresOutbox } from './outbox/outbox.js';
import { PreparedPool } from './prepared.js';
import { PostgresRateLimits } from './rate-limits.js';
import { DEFAULT_SCHEMA, schemaName } from './schema.js';
import { PostgresSemaphores } from './semaphores.js';
import { PostgresUnique } from './unique.js';

/** Options of {@link postgresStores}. */
export interface PostgresStoresOptions {
  /** A Pool of pg. The application owns it, listens to its errors and ends it. */
  pool: Pool;
  /** Schema with Hopline's tables, which `hopline stores migrate` creates. @default 'hopline' */
  schema?: string;
  /**
   * Prepared statements: PostgreSQL plans a statement once a connection, for about half of the CPU time. They need a pooler between to know
   * of them, as PgBouncer does since 1.21 with `max_prepared_statements`; set this to false behind an older one in transaction mode.
   * @default true
   */
  preparedStatements?: boolean;
}

const OPTIONS = {
  pool: required(having('a Pool of pg', 'query', 'connect')),
  schema: schemaName,
  preparedStatements: flag,
};

/**
 * Stores in PostgreSQL, shared by all processes that use the same database.
 *
 * @throws OptionsError
 */
export function postgresStores(options: PostgresStoresOptions): Required<Omit<Stores, 'isOfProcess'>> {
  const problems = problemsOf(options, '', OPTIONS);
  if (problems.length > 0) throw new OptionsError('postgresStores', problems);
  const { schema = DEFAULT_SCHEMA, preparedStatements = true } = options;
  const pool = preparedStatements ? new PreparedPool(options.pool) : options.pool;
  const outbox = new PostgresOutbox(pool, schema);
  return {
    rateLimits: new PostgresRateLimits(pool, schema),
    idempotency: new PostgresIdempotency(pool, schema),
    once: new PostgresOnce(pool, schema),
    unique: new PostgresUnique(pool, schema),
    batches: new PostgresBatches(pool, schema),
    jobs: new PostgresJobs(pool, schema),
    leases: new PostgresLeases(pool, schema),
    checkpoints: new PostgresCheckpoints(pool, schema),
    semaphores: new PostgresSemaphores(pool, schema),
    inbox: new PostgresInbox(pool, schema, outbox),
    outbox,
  };
}

export type { OutboxOptions } from '../outbox.js';
export { type OutboxBus, outbox } from './outbox/through.js';
