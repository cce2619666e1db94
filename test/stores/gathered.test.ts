import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { killWorkers, startProcess } from '../faults/worker.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';

const FOR_MS = 60_000;
const PROCESSES = 4;
const KEYS = 150;
const ROUNDS = 20;

describe('what is asked of PostgreSQL in one turn', () => {
  let schema: TestSchema;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected((client) => migrate(client, schema.name));
  });
  afterEach(async () => {
    await killWorkers();
    await schema.endPools();
  });
  after(() => schema?.drop());

  /** Stores, and what they send. */
  function counted(max = 4) {
    const pool = schema.pool({ max });
    const sent: string[] = [];
    const query = pool.query.bind(pool) as (...args: unknown[]) => unknown;
    pool.query = ((config: string | { text: string }, ...rest: unknown[]) => {
      sent.push(typeof config === 'string' ? config : config.text);
      return query(config, ...rest);
    }) as typeof pool.query;
    const stores = postgresStores({ pool, schema: schema.name });
    const sentTo = (table: string, what: RegExp) =>
      sent.filter((sql) => what.test(sql) && sql.includes(`.${table}`)).length;
    return { ...stores, pool, sentTo };
  }

  const names = (count: number) => Array.from({ length: count }, () => randomUUID());

  async function batchOf(stores: ReturnType<typeof counted>, jobs: number) {
    const id = randomUUID();
    const about = { name: 'b', service: 's', allowsFailures: true, notifications: '{}', keepMs: FOR_MS };
    await stores.batches.open({ id, ...about });
    await stores.batches.reserve(id, 'all', jobs);
    await stores.batches.seal(id);
    return id;
  }

  it('goes in one statement', async () => {
    const stores = counted();
    const keys = names(50);
    const claims = await Promise.all(keys.map((key) => stores.idempotency.claim(key, 'a', FOR_MS)));
    assert.deepEqual([...new Set(claims)], ['claimed']);
    const finishes = await Promise.all(keys.map((key) => stores.idempotency.finish(key, 'a', FOR_MS, key)));
    assert.deepEqual([...new Set(finishes)], [true]);
    assert.equal(stores.sentTo('claims', /INSERT/), 2);
    const handled = await Promise.all(keys.map((key) => stores.idempotency.claim(key, 'b', FOR_MS)));
    assert.deepEqual(
      handled,
      keys.map((key) => ({ handled: key })),
    );
    const id = await batchOf(stores, 50);
    const numbers = keys.map((_key, number) => number);
    const begins = await Promise.all(numbers.map((number) => stores.batches.begin(id, number)));
    assert.deepEqual([...new Set(begins)], ['go']);
    const ends = await Promise.all(numbers.map((number) => stores.batches.settle(id, number, 'done')));
    assert.deepEqual([...new Set(ends.map((end) => end?.done))], [50]);
    assert.deepEqual(
      ends.flatMap((end) => end?.due ?? []),
      ['then', 'finally'],
    );
    assert.equal(stores.sentTo('batch_jobs', /INSERT/), 1);
    assert.equal(stores.sentTo('batch_jobs', /unnest.*\n.*JOIN/), 1);
  });

  it('fails for whose fault it is, and for nobody else', async () => {
    const { idempotency, batches, pool } = counted();
    const keys = names(20);
    const owner = (place: number) => (place === 7 ? 'not\0storable' : 'a');
    const claims = await Promise.allSettled(
      keys.map((key, place) => idempotency.claim(key, owner(place), FOR_MS)),
    );
    const failed = claims.flatMap(({ status }, place) => (status === 'rejected' ? [place] : []));
    assert.deepEqual(failed, [7]);
    assert.match(String((claims[7] as PromiseRejectedResult).reason), /invalid byte sequence|null/i);
    const { rowCount } = await pool.query(`SELECT FROM "${schema.name}".claims WHERE name = ANY($1)`, [keys]);
    assert.equal(rowCount, 19);
    const begins = await Promise.allSettled([batches.begin('\0', 1), batches.begin('none', 1)]);
    assert.deepEqual(
      begins.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
  });

  it('is had by one where two ask for the same', async () => {
    const { idempotency } = counted();
    const [key = '', other = ''] = names(2);
    const claims = await Promise.all([
      idempotency.claim(key, 'a', FOR_MS),
      idempotency.claim(other, 'a', FOR_MS),
      idempotency.claim(key, 'b', FOR_MS),
      idempotency.claim(other, 'a', FOR_MS),
    ]);
    assert.deepEqual([claims[0], claims[1], claims[3]], ['claimed', 'claimed', 'claimed']);
    assert.ok(typeof claims[2] === 'number' && claims[2] > 1, String(claims[2]));
  });

  it('waits for no inbox that has one of the keys', async () => {
    const { idempotency, inbox } = counted();
    const [key = '', other = ''] = names(2);
    const transaction = await inbox.begin(key, FOR_MS, 'by the inbox');
    assert.ok(typeof transaction === 'object' && 'commit' in transaction);
    const claims = await Promise.all([key, other].map((each) => idempotency.claim(each, 'a', FOR_MS)));
    assert.deepEqual(claims, [FOR_MS, 'claimed']);
    await transaction.commit();
    assert.deepEqual(await idempotency.claim(key, 'a', FOR_MS), { handled: 'by the inbox' });
  });

  it('is locked in one order: processes that ask for the same never wait in a circle', async function () {
    this.timeout(120_000);
    // PostgreSQL counts deadlocks for each database.
    const name = `hopline_test_${randomBytes(6).toString('hex')}`;
    await schema.rows(`CREATE DATABASE ${name}`);
    try {
      const url = new URL(schema.url);
      url.pathname = `/${name}`;
      const client = new pg.Client({ connectionString: url.href });
      await client.connect();
      await migrate(client, 'hopline');
      const { batches } = postgresStores({ pool: client as unknown as pg.Pool });
      for (const id of ['even', 'odd']) {
        await batches.open({
          id,
          name: id,
          service: 's',
          allowsFailures: true,
          notifications: '{}',
          keepMs: FOR_MS,
        });
        await batches.reserve(id, 'all', KEYS);
        await batches.seal(id);
      }
      const processes = Array.from({ length: PROCESSES }, () =>
        startProcess('../stores/gathering-process.js', url.href, String(KEYS), String(ROUNDS)),
      );
      await eventually(() => assert.ok(processes.every(({ said }) => said.length === 1)), {
        timeout: 60_000,
      });
      for (const { process: child } of processes) child.send('begin');
      for (const { end } of processes) assert.equal(await end, 0);
      const claimed = processes.map(({ said }) => Number(said[1]));
      assert.equal(
        claimed.reduce((sum, each) => sum + each, 0),
        KEYS,
        String(claimed),
      );
      for (const id of ['even', 'odd']) {
        const batch = await batches.find(id);
        assert.deepEqual([batch?.done, batch?.progress, batch?.unsent], [KEYS, 100, ['then', 'finally']]);
      }
      const { rows } = await client.query(
        'SELECT deadlocks::integer FROM pg_stat_database WHERE datname = current_database()',
      );
      assert.deepEqual(rows, [{ deadlocks: 0 }]);
      await client.end();
    } finally {
      await schema.rows(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  });
});
