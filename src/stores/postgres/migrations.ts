/** One step from an empty database to the tables of this version. */
export interface Migration {
  /** Number of the step, one more than the previous. */
  readonly step: number;
  /** Name of the step in the list of applied steps. */
  readonly name: string;
  /** Statements, run as one; `schema` is quoted. */
  sql(schema: string): string;
}

/**
 * All steps, in order; new ones go to the end. A released step is never changed, since databases have it. While
 * a step is deployed, older versions still run: it may add, and may remove only what no older version uses.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    step: 1,
    name: 'permits of rate limits',
    // A user without the right to create schemas may use an existing one, for which
    // `CREATE SCHEMA IF NOT EXISTS` would need that right, too. Permits are unlogged, as in Redis they would be
    // in memory: gone after a crash. They change all the time; the fill factor lets them be updated in place.
    sql: (schema) => `
      DO $$ BEGIN
        IF to_regnamespace('${schema}') IS NULL THEN CREATE SCHEMA ${schema}; END IF;
      END $$;
      CREATE TABLE ${schema}.migrations (
        step integer PRIMARY KEY,
        name text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE UNLOGGED TABLE ${schema}.permits (
        name text PRIMARY KEY,
        taken_until timestamptz NOT NULL
      ) WITH (fillfactor = 50);`,
  },
  {
    step: 2,
    name: 'claims of idempotent handlers',
    // Logged: without the rows, handled messages would be handled again.
    sql: (schema) => `
      CREATE TABLE ${schema}.claims (
        name text PRIMARY KEY,
        owner text,
        until timestamptz NOT NULL
      ) WITH (fillfactor = 50);`,
  },
  {
    step: 3,
    name: 'outbox',
    // The table is read from its head all the time, and empty most of it. The index is for order keys that a
    // refused message blocks. A notification is delivered at the commit, once per transaction.
    sql: (schema) => `
      CREATE TABLE ${schema}.outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        message_id text NOT NULL,
        routing_key text NOT NULL,
        order_key text,
        message text NOT NULL,
        added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        refusals integer NOT NULL DEFAULT 0,
        error text,
        again_at timestamptz
      );
      CREATE INDEX outbox_refused ON ${schema}.outbox (order_key, id) WHERE again_at IS NOT NULL;
      CREATE FUNCTION ${schema}.outbox_added() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('hopline_outbox', TG_TABLE_SCHEMA);
        RETURN NULL;
      END $$;
      CREATE TRIGGER outbox_added AFTER INSERT ON ${schema}.outbox
        FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.outbox_added();`,
  },
  {
    step: 4,
    name: 'the ledger of what was done once',
    sql: (schema) => `
      CREATE TABLE ${schema}.ledger (
        name text PRIMARY KEY,
        result text NOT NULL,
        until timestamptz NOT NULL
      );`,
  },
  {
    step: 5,
    name: 'locks and sequences of unique messages',
    sql: (schema) => `
      CREATE TABLE ${schema}.locks (
        name text PRIMARY KEY,
        owner text NOT NULL,
        until timestamptz NOT NULL
      ) WITH (fillfactor = 50);
      CREATE TABLE ${schema}.sequences (
        name text PRIMARY KEY,
        given bigint NOT NULL,
        latest bigint NOT NULL,
        until timestamptz NOT NULL
      ) WITH (fillfactor = 50);`,
  },
  {
    step: 6,
    name: 'batches of jobs',
    // A row for each ended job instead of a bit set, which every end would rewrite. The partial indexes hold
    // the batches with notifications to be sent and the groups being sent: almost always nothing.
    sql: (schema) => `
      CREATE TABLE ${schema}.batches (
        name text PRIMARY KEY,
        title text NOT NULL,
        service text NOT NULL,
        allows_failures boolean NOT NULL,
        callbacks text NOT NULL,
        keep float8 NOT NULL,
        total integer NOT NULL DEFAULT 0,
        initial integer NOT NULL DEFAULT 0,
        done integer NOT NULL DEFAULT 0,
        failed integer NOT NULL DEFAULT 0,
        skipped integer NOT NULL DEFAULT 0,
        progress integer NOT NULL DEFAULT 0,
        progress_by integer,
        sealed boolean NOT NULL DEFAULT false,
        cancelled boolean NOT NULL DEFAULT false,
        verdict text,
        verdict_by integer,
        verdict_at timestamptz,
        verdict_sent boolean NOT NULL DEFAULT false,
        finally_by integer,
        finally_at timestamptz,
        finally_sent boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        until timestamptz NOT NULL
      ) WITH (fillfactor = 50);
      CREATE INDEX batches_unsent ON ${schema}.batches (service)
        WHERE verdict IS NOT NULL AND NOT (verdict_sent AND finally_sent);
      CREATE TABLE ${schema}.batch_jobs (
        batch text REFERENCES ${schema}.batches ON DELETE CASCADE,
        number integer,
        result text NOT NULL,
        mended boolean NOT NULL DEFAULT false,
        PRIMARY KEY (batch, number)
      );
      CREATE TABLE ${schema}.batch_numbers (
        batch text REFERENCES ${schema}.batches ON DELETE CASCADE,
        key text,
        first integer NOT NULL,
        count integer NOT NULL,
        added_by integer,
        unsent integer[] NOT NULL,
        PRIMARY KEY (batch, key)
      );
      CREATE INDEX batch_numbers_unsent ON ${schema}.batch_numbers (batch, added_by) WHERE unsent <> '{}';`,
  },
  {
    step: 7,
    name: 'what became of what was handled',
    // Older versions write no note, and skip handled messages without one in the same way.
    sql: (schema) => `ALTER TABLE ${schema}.claims ADD COLUMN note text;`,
  },
  {
    step: 8,
    name: 'leases of jobs that take long, and locks',
    // Logged: without the rows, jobs that run would be begun beside themselves, and ended ones again.
    sql: (schema) => `
      CREATE TABLE ${schema}.leases (
        name text PRIMARY KEY,
        owner text NOT NULL,
        fence bigint NOT NULL,
        done boolean NOT NULL DEFAULT false,
        until timestamptz NOT NULL
      ) WITH (fillfactor = 50);`,
  },
  {
    step: 9,
    name: 'checkpoints of resumable handlers',
    sql: (schema) => `
      CREATE TABLE ${schema}.checkpoints (
        name text PRIMARY KEY,
        state text NOT NULL,
        fence bigint NOT NULL,
        until timestamptz NOT NULL
      );`,
  },
  {
    step: 10,
    name: 'permits of handlers of which only so many run at once',
    // Logged: without the rows, handlers would run at once that must not.
    sql: (schema) => `
      CREATE TABLE ${schema}.semaphores (
        name text PRIMARY KEY,
        fence bigint NOT NULL,
        permits jsonb NOT NULL,
        until timestamptz NOT NULL
      ) WITH (fillfactor = 50);`,
  },
  {
    step: 11,
    name: 'records of jobs',
    // No index has a column that changes, so that a beginning and an end update a row in place; the names of those that have not
    // ended have a table of their own.
    sql: (schema) => `
      CREATE TABLE ${schema}.jobs (
        name text PRIMARY KEY,
        title text,
        tags text[] NOT NULL,
        state text NOT NULL DEFAULT 'waiting',
        service text NOT NULL,
        routing_key text NOT NULL,
        message text,
        version integer NOT NULL DEFAULT 1,
        reserved integer NOT NULL DEFAULT 1,
        refused integer NOT NULL DEFAULT 0,
        sent_at float8 NOT NULL,
        due_at float8,
        keep float8 NOT NULL,
        comes_until float8 NOT NULL,
        queue text,
        handler text,
        attempt float8 NOT NULL DEFAULT 0,
        run text,
        host text,
        pid integer,
        begun_at float8,
        started_at float8,
        ended_at float8,
        cancelling boolean NOT NULL DEFAULT false,
        percent float8,
        note text,
        noted_at float8,
        result text,
        result_problem text,
        error text,
        reason text,
        dead_queue text,
        until timestamptz NOT NULL
      ) WITH (fillfactor = 50);
      CREATE INDEX jobs_sent ON ${schema}.jobs (sent_at);
      CREATE INDEX jobs_tags ON ${schema}.jobs USING gin (tags) WHERE tags <> '{}';
      CREATE TABLE ${schema}.job_names (
        name text PRIMARY KEY,
        job text NOT NULL,
        is_taken boolean NOT NULL,
        until timestamptz NOT NULL
      ) WITH (fillfactor = 50);`,
  },
  {
    step: 12,
    name: 'notifications only for relays that rest',
    // Transactions with a notification commit one after the other. A relay that rests holds the lock alone. Who can share it has none to wake, and
    // keeps it to the end of the transaction, so that no relay rests that could not see yet what was added.
    // Asked by the trigger's condition, it costs no call of its function. Relays of older versions never rest, and look every second.
    sql: (schema) => `
      DROP TRIGGER outbox_added ON ${schema}.outbox;
      CREATE TRIGGER outbox_added AFTER INSERT ON ${schema}.outbox FOR EACH STATEMENT
        WHEN (NOT pg_try_advisory_xact_lock_shared(hashtextextended('hopline_outbox ${schema}', 0)))
        EXECUTE FUNCTION ${schema}.outbox_added();`,
  },
];
