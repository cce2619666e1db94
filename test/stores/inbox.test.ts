import assert from 'node:assert/strict';
import { postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';

describe('an inbox in PostgreSQL', () => {
  let schema: TestSchema;
  let stores: ReturnType<typeof postgresStores>;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected((client) => migrate(client, schema.name));
  });
  beforeEach(() => {
    stores = postgresStores({ pool: schema.pool({ max: 4 }), schema: schema.name });
  });
  afterEach(() => schema.endPools());
  after(() => schema.drop());

  async function begun(key: string, note = 'a note') {
    const answer = await stores.inbox.begin(key, 30_000, note);
    assert.ok(answer !== 'taken' && !('handled' in answer));
    return answer;
  }

  it('tells the note of what was handled, the one that it was begun with or the last one', async () => {
    const one = await begun('as begun');
    assert.equal(await stores.inbox.begin('as begun', 30_000, ''), 'taken');
    assert.equal(await one.commit(), undefined);
    assert.deepEqual(await stores.inbox.begin('as begun', 30_000, ''), { handled: 'a note' });
    const other = await begun('replaced');
    await other.note('another');
    await other.commit();
    assert.deepEqual(await stores.inbox.begin('replaced', 30_000, ''), { handled: 'another' });
    assert.deepEqual(await stores.idempotency.claim('replaced', 'a', 30_000), { handled: 'another' });
    await (await begun('rolled back')).rollBack();
    await (await begun('rolled back')).rollBack();
  });

  it('has a store of results in each transaction: what is recorded there is known to others once that is committed', async () => {
    const [one, other] = [await begun('one'), await begun('other')];
    await stores.once.record('known', 'before', 30_000);
    assert.equal(await one.once.reserve('known', 30_000), 'before');
    assert.equal(await one.once.record('known', 'after', 30_000), 'before');
    assert.equal(await one.once.record('new', '', 30_000), '');
    assert.equal(await one.once.reserve('new', 30_000), '');
    assert.equal(await other.once.reserve('new', 30_000), undefined);
    const later = other.once.record('new', 'later', 30_000);
    await one.commit();
    assert.equal(await later, '', 'who records the same meanwhile waits, and gets what is there');
    assert.equal(await stores.once.reserve('new', 30_000), '');
    await other.rollBack();
    const third = await begun('third');
    await third.once.record('gone', 'with it', 30_000);
    await third.rollBack();
    assert.equal(await stores.once.reserve('gone', 30_000), undefined);
  });

  it('tells a commit that nobody answered from one that PostgreSQL has refused', async () => {
    const cut = await begun('cut');
    const { rows } = await cut.client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await schema.rows(`SELECT pg_terminate_backend(${rows[0]?.pid})`);
    assert.ok((await cut.commit()) instanceof Error);
    await (await begun('cut')).rollBack();

    await schema.rows(`CREATE TABLE "${schema.name}".checked (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)`);
    const refused = await begun('refused');
    await refused.client.query(`INSERT INTO "${schema.name}".checked VALUES (1), (1)`);
    await assert.rejects(refused.commit(), { code: '23505' });
    const failed = await begun('failed');
    await failed.client.query('SELECT 1 / 0').catch(() => {});
    await assert.rejects(failed.commit(), /PostgreSQL has rolled it back/);
    await assert.rejects(failed.commit(), /is over already/);
  });
});
