import type { ClientBase } from 'pg';
import { HoplineError, MigrationError } from '../../errors.js';
import { MIGRATIONS, type Migration } from './migrations.js';
import { checkSchema, quoted } from './schema.js';

export interface MigrateOptions {
  /** Only reports the steps, without applying them. @default false */
  readonly dryRun?: boolean;
  /** Steps to apply. @default all steps of this version */
  readonly steps?: readonly Migration[];
}

/** `hopline` in ASCII: a key for an advisory lock that nobody else is likely to use. */
const LOCK = "x'686f706c696e65'::bigint";

/** Deadline for this lock, and for those on the tables that a step changes. */
const LOCK_WITHIN = '30s';

const INSUFFICIENT_PRIVILEGE = '42501';
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Applies the steps that a database lacks, all or none of them. If several processes try at once, one applies
 * them, and the others wait and find nothing to do.
 *
 * @param client a connection that nobody else uses meanwhile; it stays open
 * @returns the steps that were applied, or would be
 * @throws OptionsError, MigrationError
 */
export async function migrate(
  client: ClientBase,
  schema: string,
  { dryRun = false, steps = MIGRATIONS }: MigrateOptions = {},
): Promise<readonly Migration[]> {
  checkSchema(schema, 'migrate');
  try {
    // Read committed, whatever the default is: commits made while this waits for the lock must be visible.
    await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED ${dryRun ? 'READ ONLY' : 'READ WRITE'}`);
    if (!dryRun) await lock(client);
    const missing = await missingSteps(client, schema, steps);
    if (!dryRun) for (const step of missing) await apply(client, schema, step);
    await client.query('COMMIT');
    return missing;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}); // the connection is lost, and the transaction with it
    throw error instanceof HoplineError ? error : failed(`the schema ${quoted(schema)}`, error);
  }
}

async function lock(client: ClientBase): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = '${LOCK_WITHIN}'`);
  await client.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
}

async function missingSteps(
  client: ClientBase,
  schema: string,
  steps: readonly Migration[],
): Promise<readonly Migration[]> {
  const applied = await appliedSteps(client, `${quoted(schema)}.migrations`);
  const [newest, known] = [Math.max(0, ...applied), Math.max(0, ...steps.map(({ step }) => step))];
  if (newest > known) {
    throw new MigrationError(
      `a newer version of Hopline has migrated the schema ${quoted(schema)}: it has step ${newest}, and this version knows ${known}`,
      'Migrate with that version. Services of this version can go on, since steps only add to the schema.',
    );
  }
  return steps.filter(({ step }) => !applied.has(step));
}

async function appliedSteps(client: ClientBase, table: string): Promise<ReadonlySet<number>> {
  const found = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
  if (!found.rows[0]?.there) return new Set();
  const { rows } = await client.query<{ step: number }>(`SELECT step FROM ${table}`);
  return new Set(rows.map(({ step }) => step));
}

async function apply(client: ClientBase, schema: string, { step, name, sql }: Migration): Promise<void> {
  try {
    await client.query(sql(quoted(schema)));
    const table = `${quoted(schema)}.migrations`;
    await client.query(`INSERT INTO ${table} (step, name) VALUES ($1, $2)`, [step, name]);
  } catch (error) {
    throw failed(`step ${step} (${name}) of the schema ${quoted(schema)}`, error);
  }
}

function failed(what: string, cause: unknown): MigrationError {
  const { code, message } = cause as { code?: unknown; message?: string };
  return new MigrationError(`${what} can't be migrated: ${message}`, helpFor(code), { cause });
}

function helpFor(code: unknown): string {
  if (code === INSUFFICIENT_PRIVILEGE)
    return 'Nothing was changed. Grant that permission, or migrate as the owner of the schema: docs/stores.md lists the permissions.';
  if (code === LOCK_NOT_AVAILABLE)
    return `Nothing was changed. Another process has been migrating, or using the table, for over ${LOCK_WITHIN}: try again.`;
  return 'Nothing was changed. Correct it and migrate again.';
}
