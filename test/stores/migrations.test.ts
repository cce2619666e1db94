import assert from 'node:assert/strict';
import { MigrationError, OptionsError } from '../../src/errors.js';
import { postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { MIGRATIONS, type Migration } from '../../src/stores/postgres/migrations.js';
import { codeBlocks } from '../project/markdown.js';
import { read } from '../project/repository.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';

const NEXT = MIGRATIONS.length + 1;

const NUMBERS = MIGRATIONS.map(({ step }) => step);

describe('migrations', () => {
  let url: string;
  let schema: TestSchema;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedPostgres()).url;
  });
  beforeEach(() => {
    schema = new TestSchema(url);
  });
  afterEach(() => schema.drop());

  /** The numbers of the steps that one run applied. */
  const migrated = (steps: readonly Migration[] = MIGRATIONS, dryRun = false) =>
    schema.connected(async (client) =>
      (await migrate(client, schema.name, { steps, dryRun })).map(({ step }) => step),
    );
  const applied = async () =>
    (await schema.rows<{ step: number }>(`SELECT step FROM "${schema.name}".migrations ORDER BY step`)).map(
      ({ step }) => step,
    );

  it('are numbered from 1, without a gap', () => {
    assert.deepEqual(
      NUMBERS,
      MIGRATIONS.map((_, index) => index + 1),
    );
  });

  it('are applied once: a second run finds nothing to do', async () => {
    assert.deepEqual(await migrated(), NUMBERS);
    assert.deepEqual(await migrated(), []);
    assert.deepEqual(await applied(), NUMBERS);
  });

  it('are applied by one of four who start at once', async () => {
    const runs = await Promise.all([migrated(), migrated(), migrated(), migrated()]);
    assert.deepEqual(
      runs.filter((steps) => steps.length > 0),
      [NUMBERS],
    );
    assert.deepEqual(await applied(), NUMBERS);
  });

  it('are applied by one of many even where transactions are serializable', async () => {
    const pool = schema.pool({ max: 4, options: '-c default_transaction_isolation=serializable' });
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect(), pool.connect()]);
    try {
      const runs = await Promise.all(clients.map((client) => migrate(client, schema.name)));
      assert.equal(runs.filter((steps) => steps.length > 0).length, 1);
    } finally {
      for (const client of clients) client.release();
    }
  });

  it('go on from where an older version has stopped', async () => {
    await migrated();
    const next: Migration = { step: NEXT, name: 'notes', sql: (own) => `CREATE TABLE ${own}.notes (id int)` };
    assert.deepEqual(await migrated([...MIGRATIONS, next]), [NEXT]);
    assert.deepEqual(await applied(), [...NUMBERS, NEXT]);
  });

  it('are said, and not applied, by a dry run', async () => {
    assert.deepEqual(await migrated(MIGRATIONS, true), NUMBERS);
    assert.equal(await schema.exists(), false);
    await migrated();
    assert.deepEqual(await migrated(MIGRATIONS, true), []);
  });

  it('leave nothing of themselves when one of them fails', async () => {
    const broken: Migration = {
      step: NEXT,
      name: 'a broken one',
      sql: (own) => `CREATE TABLE ${own}.permits ()`,
    };
    await assert.rejects(migrated([...MIGRATIONS, broken]), (error) => {
      assert.ok(error instanceof MigrationError);
      assert.match(error.message, new RegExp(`^step ${NEXT} \\(a broken one\\) .*already exists`));
      return true;
    });
    assert.equal(await schema.exists(), false);
    assert.deepEqual(await migrated(), NUMBERS, 'and may be run again');
  });

  it('leave a connection usable when they fail', async () => {
    await schema.connected(async (client) => {
      const broken: Migration = { step: 1, name: 'a broken one', sql: () => 'SELECT 1 / 0' };
      await assert.rejects(migrate(client, schema.name, { steps: [broken] }), /division by zero/);
      assert.equal((await client.query('SELECT 1')).rowCount, 1);
    });
  });

  it('refuse a database that a newer version has migrated', async () => {
    await migrated();
    await schema.rows(`INSERT INTO "${schema.name}".migrations (step, name) VALUES (${NEXT}, 'tomorrow')`);
    for (const dryRun of [false, true]) {
      await assert.rejects(migrated(MIGRATIONS, dryRun), (error) => {
        assert.ok(error instanceof MigrationError);
        assert.match(error.message, new RegExp(`has step ${NEXT}, and this version knows ${NEXT - 1}$`));
        return true;
      });
    }
  });

  it('refuse a name for the schema that is no plain one, before anything is asked', async () => {
    await schema.connected(async (client) => {
      await assert.rejects(migrate(client, 'x"; DROP SCHEMA public; --'), OptionsError);
    });
  });

  it('use a schema that is there, with no right to make one', async () => {
    const role = `${schema.name}_owner`;
    await schema.rows(`CREATE ROLE "${role}"; CREATE SCHEMA "${schema.name}" AUTHORIZATION "${role}"`);
    try {
      await schema.connected(async (client) => {
        await client.query(`SET ROLE "${role}"`);
        await migrate(client, schema.name);
        await assert.rejects(migrate(client, `${schema.name}_2`), (error) => {
          assert.ok(error instanceof MigrationError);
          assert.match(error.message, /permission denied for database/);
          assert.match(error.help, /Grant that permission/);
          return true;
        });
      });
      assert.deepEqual(await applied(), NUMBERS);
    } finally {
      await schema.rows(`DROP OWNED BY "${role}" CASCADE; DROP ROLE "${role}"`);
    }
  });

  it('ask for no more rights afterwards than docs/stores.md grants a service, with steps to come', async () => {
    const role = `${schema.name}_service`;
    const [, grants] = codeBlocks(read('docs/stores.md')).filter(({ language }) => language === 'sql');
    assert.ok(grants);
    const notes: Migration = {
      step: NEXT,
      name: 'notes',
      sql: (own) => `CREATE TABLE ${own}.notes (id int)`,
    };
    await migrated();
    await schema.rows(`CREATE ROLE "${role}"`);
    try {
      await schema.rows(grants.code.replaceAll('hopline', schema.name).replaceAll('billing', role));
      await migrated([...MIGRATIONS, notes]);
      const pool = schema.pool({ options: `-c role=${role}` });
      assert.equal(await postgresStores({ pool, schema: schema.name }).rateLimits.take('any', 1), 0);
      await pool.query(`INSERT INTO "${schema.name}".notes VALUES (1)`);
      await assert.rejects(pool.query(`DROP TABLE "${schema.name}".permits`), /must be owner/);
    } finally {
      await schema.endPools();
      await schema.rows(`DROP OWNED BY "${role}" CASCADE; DROP ROLE "${role}"`);
    }
  });
});
