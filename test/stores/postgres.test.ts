import assert from 'node:assert/strict';
import type { Pool } from 'pg';
import { OptionsError } from '../../src/errors.js';
import { StoreNotMigratedError, StoreTimeoutError } from '../../src/stores/index.js';
import { PostgresBatches } from '../../src/stores/postgres/batches/batches.js';
import { PostgresCheckpoints } from '../../src/stores/postgres/checkpoints.js';
import { postgresStores } from '../../src/stores/postgres/index.js';
import { PostgresJobs } from '../../src/stores/postgres/jobs.js';
import { PostgresLeases } from '../../src/stores/postgres/leases.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { PostgresRateLimits } from '../../src/stores/postgres/rate-limits.js';
import { PostgresSemaphores } from '../../src/stores/postgres/semaphores.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import { overdueIn } from './overdue.js';

describe('stores in PostgreSQL', () => {
  let schema: TestSchema;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected((client) => migrate(client, schema.name));
  });
  afterEach(() => schema.endPools());
  after(() => schema?.drop());

  it('refuse options that can not work, all of them at once', () => {
    const options = {
      pool: 'postgres://ada:s3cret@host/db' as unknown as Pool,
      schema: 'a"; DROP',
      prefix: 'x',
    };
    assert.throws(
      () => postgresStores(options),
      (error) => {
        assert.ok(error instanceof OptionsError);
        assert.match(
          error.problems.join('\n'),
          /^unknown option prefix.*\nexpected pool to be .*\nexpected schema to be /,
        );
        assert.doesNotMatch(error.message, /s3cret/);
        return true;
      },
    );
  });

  it('keep the payload of a job no longer than it can be sent', async () => {
    const pool = schema.pool();
    const jobs = new PostgresJobs(pool, schema.name);
    const sent = { tags: [], service: 'shop', routingKey: 'a.b', sentAt: Date.now(), keepMs: 60_000 };
    const ids = ['done', 'taken', 'dead'];
    await jobs.add(ids.map((id) => ({ ...sent, id, name: id, dueAt: undefined, message: '{}' })));
    const end = { version: 1, queue: 'q', handler: 'h', attempt: 1, at: Date.now() };
    await jobs.end([
      { ...end, id: 'done', state: 'done' },
      { ...end, id: 'dead', state: 'dead-lettered' },
    ]);
    await jobs.cancel('taken', Date.now());
    const { rows } = await pool.query(`SELECT name FROM ${schema.name}.jobs WHERE message IS NOT NULL`);
    assert.deepEqual(rows, [{ name: 'dead' }]);
  });

  for (const [title, name] of [
    ['empty', ''],
    ['too long', 'a'.repeat(64)],
    ["PostgreSQL's own", 'pg_hopline'],
    ['with a capital', 'Hopline'],
    ['with a quote', 'a"b'],
    ['with a dot', 'a.b'],
    ['with a digit in front', '1a'],
  ] as const) {
    it(`refuse a schema's name that is no plain one: ${title}`, () => {
      assert.throws(
        () => postgresStores({ pool: schema.pool(), schema: name }),
        /expected schema to be a plain name/,
      );
    });
  }

  it('say which command makes a table that is missing', async () => {
    const { rateLimits } = postgresStores({ pool: schema.pool(), schema: 'hopline_test_nowhere' });
    await assert.rejects(rateLimits.take('any', 1), (error) => {
      assert.ok(error instanceof StoreNotMigratedError);
      assert.match(error.message, /"hopline_test_nowhere"\.permits/);
      assert.match(error.help, /`hopline stores migrate --schema hopline_test_nowhere`/);
      return true;
    });
  });

  it('say so in time when the pool has no connection left', async () => {
    const pool = schema.pool({ max: 1 });
    const taken = await pool.connect();
    try {
      await assert.rejects(new PostgresRateLimits(pool, schema.name, 100).take('any', 1), StoreTimeoutError);
    } finally {
      taken.release();
    }
  });

  it('give higher fences when a name is forgotten, and when their clock is behind one that it knows', async () => {
    const { leases, semaphores } = postgresStores({ pool: schema.pool(), schema: schema.name });
    const taken = {
      leases: (owner: string) => leases.take('l', owner, 30_000),
      semaphores: (owner: string) => semaphores.acquire('l', 1, owner, 30_000),
    };
    for (const [name, take] of Object.entries(taken)) {
      const table = `"${schema.name}".${name}`;
      const fenceOf = async (owner: string) => {
        const answer = await take(owner);
        assert.equal(answer.kind, 'taken');
        return (answer as { fence: number }).fence;
      };
      const first = await fenceOf('a');
      await schema.rows(`DELETE FROM ${table}`);
      const second = await fenceOf('b');
      assert.ok(second > first && second > Date.now() * 1_000 - 60_000_000, `${second} after ${first}`);
      // As a replica takes over whose clock is behind: what it knows was given later than now.
      const ended = name === 'leases' ? 'until = now()' : `permits = '{}', until = now()`;
      await schema.rows(`UPDATE ${table} SET fence = fence + 60000001, ${ended}`);
      assert.equal(await fenceOf('c'), second + 60_000_002);
    }
  });

  it('say so in time of leases, semaphores and checkpoints, too, whatever is asked', async () => {
    const pool = schema.pool({ max: 1 });
    const leases = new PostgresLeases(pool, schema.name, 100);
    const semaphores = new PostgresSemaphores(pool, schema.name, 100);
    const checkpoints = new PostgresCheckpoints(pool, schema.name, 100);
    const asked = [
      () => leases.take('any', 'a', 1_000),
      () => leases.look('any'),
      () => leases.renew('any', 1, 1_000),
      () => leases.finish('any', 1, 1_000),
      () => leases.release('any', 1),
      () => semaphores.acquire('any', 1, 'a', 1_000),
      () => semaphores.renew('any', 'a', 1_000),
      () => semaphores.release('any', 'a'),
      () => checkpoints.load('any'),
      () => checkpoints.save('any', '1', 0, 1_000),
      () => checkpoints.forget('any'),
    ];
    const taken = await pool.connect();
    try {
      await Promise.all(asked.map((ask) => assert.rejects(ask, StoreTimeoutError)));
    } finally {
      taken.release();
    }
  });

  it('throw what pg throws when the database is away', async () => {
    const pool = schema.pool({ connectionString: 'postgres://ada:s3cret@127.0.0.1:1/shop' });
    await assert.rejects(postgresStores({ pool }).rateLimits.take('any', 1), { code: 'ECONNREFUSED' });
  });

  it("go by the database's clock: a process whose own is ahead takes nothing early", async () => {
    const { rateLimits } = postgresStores({ pool: schema.pool(), schema: schema.name });
    assert.equal(await rateLimits.take('clock', 30), 0);
    const { now } = Date;
    Date.now = () => now() + 3_600_000;
    try {
      const waitMs = await rateLimits.take('clock', 30);
      assert.ok(waitMs > 20_000 && waitMs <= 30_000, `${waitMs} ms`);
    } finally {
      Date.now = now;
    }
  });

  it('forget what an inbox has handled when its time is over, and only that', async () => {
    const table = `"${schema.name}".claims`;
    await schema.rows(
      `INSERT INTO ${table} (name, until) VALUES ('old', now() - interval '1s'), ('kept', now() + interval '1h')`,
    );
    const { inbox } = postgresStores({ pool: schema.pool({ max: 2 }), schema: schema.name });
    const begun = await inbox.begin('new', 60_000, '');
    assert.ok(typeof begun === 'object' && 'commit' in begun);
    await begun.commit();
    await eventually(async () => {
      const left = await schema.rows<{ name: string }>(`SELECT name FROM ${table} ORDER BY name`);
      assert.deepEqual(
        left.map(({ name }) => name),
        ['kept', 'new'],
      );
    });
  });

  it('forget permits whose time is over, and only those', async () => {
    const table = `"${schema.name}".permits`;
    await schema.rows(
      `INSERT INTO ${table} SELECT 'old ' || n, now() - interval '1s' FROM generate_series(1, 10050) AS n
       UNION ALL SELECT 'held', now() + interval '1h'`,
    );
    const { rateLimits } = postgresStores({ pool: schema.pool(), schema: schema.name });
    await eventually(async () => {
      await rateLimits.take('any', 30);
      const left = await schema.rows<{ name: string }>(
        `SELECT name FROM ${table} WHERE name LIKE 'old%' OR name = 'held'`,
      );
      assert.deepEqual(
        left.map(({ name }) => name),
        ['held'],
      );
    });
  });

  it('find batches of a service of which something is overdue', async () => {
    const pool = schema.pool();
    await overdueIn(new PostgresBatches(pool, schema.name), async (id, moment) => {
      const table = `"${schema.name}".batches`;
      await pool.query(
        `UPDATE ${table} SET ${moment} = ${moment} - interval '31 seconds' WHERE name = '${id}'`,
      );
    });
  });
});
