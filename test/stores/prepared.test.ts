import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';

describe('prepared statements of stores in PostgreSQL', () => {
  let schema: TestSchema;
  let pool: pg.Pool;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected((client) => migrate(client, schema.name));
  });
  beforeEach(() => {
    pool = schema.pool();
  });
  afterEach(() => schema.endPools());
  after(() => schema?.drop());

  /** What the one connection of the pool has prepared. */
  async function prepared(): Promise<string[]> {
    const { rows } = await pool.query<{ name: string; statement: string }>(
      'SELECT name, statement FROM pg_prepared_statements ORDER BY name',
    );
    assert.equal(pool.totalCount, 1);
    for (const { name } of rows) assert.match(name, /^hopline_[0-9a-f]{16}$/);
    return rows.map(({ statement }) => statement);
  }

  async function useAll({ idempotency, inbox, batches, outbox }: ReturnType<typeof postgresStores>) {
    const id = randomUUID();
    const batch = { id, name: 'b', service: 's', allowsFailures: false, notifications: '{}', keepMs: 60_000 };
    for (const key of [randomUUID(), randomUUID()]) {
      assert.equal(await idempotency.claim(key, 'a', 60_000), 'claimed');
      assert.equal(await idempotency.finish(key, 'a', 60_000, ''), true);
      const transaction = await inbox.begin(`inbox ${key}`, 60_000, '');
      assert.ok(typeof transaction === 'object' && 'commit' in transaction);
      assert.equal(await transaction.commit(), undefined);
    }
    await batches.open(batch);
    await batches.seal(id);
    await outbox.add(pool, [{ messageId: 'a', routingKey: 'k', orderKey: undefined, message: 'a' }]);
  }

  it('have a name each, whoever sends them, and are there once', async () => {
    await useAll(postgresStores({ pool, schema: schema.name }));
    const statements = await prepared();
    assert.equal(new Set(statements).size, statements.length);
    const ofTable = (table: string) => statements.filter((sql) => sql.includes(`"${schema.name}".${table}`));
    assert.equal(ofTable('claims').length, 3, 'claim, finish, and an inbox’s');
    assert.ok(ofTable('batches').length >= 2);
  });

  it('are none where the option says so', async () => {
    await useAll(postgresStores({ pool, schema: schema.name, preparedStatements: false }));
    assert.deepEqual(await prepared(), []);
  });

  it('are none that look for rows in tables that grow: their plan would stay that of an empty table', async () => {
    const { jobs, once } = postgresStores({ pool, schema: schema.name });
    for (let time = 0; time < 3; time += 1) {
      await jobs.find(['any']);
      await once.reserve('any', 1_000);
    }
    const statements = await prepared();
    assert.ok(
      statements.every((sql) => /ON CONFLICT/.test(sql)),
      statements.join('\n'),
    );
  });

  it('are given up where a connection does not know them, as through a pooler, and what was asked is answered', async () => {
    const { idempotency, inbox } = postgresStores({ pool, schema: schema.name });
    await idempotency.claim('known', 'a', 60_000);
    await pool.query('DEALLOCATE ALL');
    assert.equal(await idempotency.claim('unknown', 'a', 60_000), 'claimed');
    assert.equal(await idempotency.finish('unknown', 'a', 60_000, 'done'), true);
    const transaction = await inbox.begin('other', 60_000, '');
    assert.ok(typeof transaction === 'object' && 'rollBack' in transaction);
    await transaction.rollBack();
    assert.deepEqual(await prepared(), []);
  });
});
