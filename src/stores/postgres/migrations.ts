/** One step of the way from an empty database to what this version needs. */
export interface Migration {
  /** One more than that of the step before it. */
  readonly step: number;
  /** What it makes, for those who read the list of what was applied. */
  readonly name: string;
  /** Statements, run as one; `schema` is quoted already. */
  sql(schema: string): string;
}

/**
 * All steps, in order. A new one goes to the end. One that has been released is never changed: databases have it. While it
 * is deployed, older versions still run on what it makes: it adds, and takes away only what no older one uses.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    step: 1,
    name: 'permits of rate limits',
    // Whoever may not make a schema may use one that is there, for which `CREATE SCHEMA IF NOT EXISTS` asks too much.
    // Permits are like those in Redis: not worth a log, and gone after a crash. They are changed all the time, in place
    // where a page has room.
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
    // Logged: forgotten, what was handled would be handled again.
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
    // Read from its head all the time, and empty most of it. The index is for keys that a refused message holds up. A
    // notification is heard when its transaction is committed, once however often that has added something.
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
    // A row for each job that has ended, and not a set of bits: that would be written anew with each of them. The indexes hold
    // what has ended and is not told yet, and what is just being sent: nothing most of the time.
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
    // Older versions leave no note, and handled messages without one are skipped as they do it.
    sql: (schema) => `ALTER TABLE ${schema}.claims ADD COLUMN note text;`,
  },
];
