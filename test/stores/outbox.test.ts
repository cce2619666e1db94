import assert from 'node:assert/strict';
import type pg from 'pg';
import type { OutboxEntry, TakenEntry } from '../../src/stores/outbox.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { PostgresOutbox } from '../../src/stores/postgres/outbox.js';
import { deferred } from '../../src/util/deferred.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';

const entry = (message: string, orderKey?: string): OutboxEntry => ({
  messageId: `id of ${message}`,
  routingKey: 'k',
  orderKey,
  message,
});

const texts = (entries: readonly TakenEntry[]) => entries.map(({ message }) => message);
const published = (entries: readonly TakenEntry[]) => ({
  published: entries.map(({ id }) => id),
  refused: [],
});

for (const isolation of ['read committed', 'serializable'])
  describe(`an outbox where transactions are ${isolation}`, function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    let schema: TestSchema;

    beforeEach(async () => {
      schema = new TestSchema((await sharedPostgres()).url);
      await schema.connected((client) => migrate(client, schema.name));
    });
    afterEach(() => schema.drop());

    const poolOf = (): pg.Pool =>
      schema.pool({
        max: 4,
        application_name: schema.name,
        options: `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`,
      });
    const outboxOf = (pool = poolOf()) => new PostgresOutbox(pool, schema.name);

    /** Takes all there is, and publishes it. */
    async function drained(outbox: PostgresOutbox): Promise<string[]> {
      const all: string[] = [];
      const take = async (entries: readonly TakenEntry[]) => {
        all.push(...texts(entries));
        return published(entries);
      };
      while ((await outbox.relay(3, take)) > 0);
      return all;
    }

    it('gives what was committed, in its order, and nothing of what was rolled back', async () => {
      const pool = poolOf();
      const outbox = outboxOf(pool);
      const client = await pool.connect();
      await client.query('BEGIN');
      await outbox.add(client, [entry('a'), entry('b', 'key')]);
      assert.deepEqual(await drained(outbox), [], 'before the commit');
      await outbox.add(client, [entry('c', 'key'), entry('{"d":"\'\\u0000$1?"}', 'key'), entry('é')]);
      await client.query('COMMIT');
      await client.query('BEGIN');
      await outbox.add(client, [entry('never')]);
      await client.query('ROLLBACK');
      client.release();
      assert.equal((await outbox.backlog()).waiting, 5);
      assert.deepEqual(await drained(outbox), ['a', 'b', 'c', '{"d":"\'\\u0000$1?"}', 'é']);
      assert.deepEqual(await outbox.backlog(), { waiting: 0, lagMs: 0, refused: [] });
    });

    it('keeps what was taken if the relay dies, or fails, before it says what became of it', async () => {
      const outbox = outboxOf();
      await outbox.add(poolOf(), [entry('a'), entry('b')]);
      const failing = outbox.relay(10, () => Promise.reject(new Error('the relay dies')));
      await assert.rejects(failing, /the relay dies/);
      const half = async (entries: readonly TakenEntry[]) => published(entries.slice(0, 1));
      assert.equal(await outbox.relay(10, half), 2);
      assert.deepEqual(await drained(outbox), ['b']);
    });

    it('gives each entry to one relay, and those of a key to one at a time', async () => {
      const outbox = outboxOf();
      await outbox.add(poolOf(), [entry('a'), entry('k1', 'k'), entry('b'), entry('c'), entry('k2', 'k')]);
      const gate = deferred();
      const first = deferred<string[]>();
      const slow = outbox.relay(3, async (entries) => {
        first.resolve(texts(entries));
        await gate.promise;
        return published(entries);
      });
      assert.deepEqual(await first.promise, ['a', 'k1', 'b']);
      assert.deepEqual(await drained(outboxOf()), ['c'], 'k2 waits for k1');
      gate.resolve();
      await slow;
      assert.deepEqual(await drained(outbox), ['k2']);
    });

    it('holds up what has the key of a refused one, and nothing else, until it is due again', async () => {
      const outbox = outboxOf();
      await outbox.add(poolOf(), [entry('k1', 'k'), entry('k2', 'k'), entry('a'), entry('j1', 'j')]);
      const refuse = async (entries: readonly TakenEntry[]) => ({
        published: [],
        refused: entries.slice(0, 1).map(({ id }) => ({ id, error: 'no queue takes it', againMs: 1_000 })),
      });
      await outbox.relay(1, refuse);
      assert.deepEqual(await drained(outbox), ['a', 'j1']);
      const { waiting, lagMs, refused } = await outbox.backlog();
      assert.equal(waiting, 2);
      assert.ok(lagMs > 0, `${lagMs}`);
      assert.deepEqual(
        refused.map(({ messageId, refusals, error }) => ({ messageId, refusals, error })),
        [{ messageId: 'id of k1', refusals: 1, error: 'no queue takes it' }],
      );
      const late: string[] = [];
      await eventually(async () => {
        late.push(...(await drained(outbox)));
        assert.deepEqual(late, ['k1', 'k2']);
      });
    });

    it('orders what has one key as its transactions are committed, not as they have begun to add', async () => {
      const [one, other] = [await poolOf().connect(), await poolOf().connect()];
      const outbox = outboxOf();
      await one.query('BEGIN');
      await other.query('BEGIN');
      await outbox.add(one, [entry('first', 'k')]);
      const waiting = outbox.add(other, [entry('second', 'k')]);
      await eventually(async () => {
        const rows = await schema.rows(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);
        assert.equal(rows.length, 1);
      });
      assert.deepEqual(await drained(outbox), []);
      await outbox.add(one, [entry('first again', 'k')]);
      await one.query('COMMIT');
      await waiting;
      await other.query('COMMIT');
      one.release();
      other.release();
      assert.deepEqual(await drained(outbox), ['first', 'first again', 'second']);
    });

    it('keeps the order of each key while many add and several relays publish', async function () {
      this.timeout(60_000);
      const writers = poolOf();
      const outbox = outboxOf(writers);
      const seen = new Map<string, number[]>();
      let isOver = false;
      const relays = [outboxOf(), outboxOf(), outboxOf()].map(async (relay) => {
        const note = async (entries: readonly TakenEntry[]) => {
          for (const { orderKey = '', message } of entries)
            seen.set(orderKey, [...(seen.get(orderKey) ?? []), Number(message)]);
          // Some fail at times: what is behind them must wait.
          const kept = entries.findIndex(({ message }) => Number(message) % 7 === 3 && Math.random() < 0.5);
          const done = kept < 0 ? entries : entries.slice(0, kept);
          for (const { orderKey = '' } of kept < 0 ? [] : entries.slice(kept)) seen.get(orderKey)?.pop();
          return published(done);
        };
        while ((await relay.relay(5, note)) > 0 || !isOver);
      });
      const counts = new Map<string, number>();
      const write = async (key: string) => {
        const client = await writers.connect();
        try {
          await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
          await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 1))', [schema.name + key]);
          const number = counts.get(key) ?? 0;
          counts.set(key, number + 1);
          await outbox.add(client, [entry(String(number), key)]);
          await client.query('COMMIT');
        } finally {
          client.release();
        }
      };
      await Promise.all(['a', 'b', 'c'].flatMap((key) => Array.from({ length: 60 }, () => write(key))));
      isOver = true;
      await Promise.all(relays);
      for (const [key, numbers] of seen)
        assert.deepEqual(
          numbers,
          Array.from({ length: 60 }, (_, number) => number),
          key,
        );
      assert.equal(seen.size, 3);
      assert.equal((await outbox.backlog()).waiting, 0);
    });

    it('wakes who listens when a transaction that has added something is committed, and only then', async () => {
      const pool = poolOf();
      const outbox = outboxOf();
      let woken = 0;
      const listening = await outbox.listen(() => {
        woken += 1;
      });
      const client = await pool.connect();
      await client.query('BEGIN');
      await outbox.add(client, [entry('a')]);
      await outbox.add(client, [entry('b')]);
      await client.query('ROLLBACK');
      await client.query('BEGIN');
      await outbox.add(client, [entry('a')]);
      await outbox.add(client, [entry('b')]);
      await client.query('COMMIT');
      client.release();
      await eventually(() => assert.equal(woken, 1));
      assert.equal(listening.isOn, true);
      await schema.rows(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND application_name = '${schema.name}'`,
      );
      await eventually(() => assert.equal(listening.isOn, false));
      listening.end();
    });

    it('leaves a connection of the pool as it was, however often it is asked', async () => {
      const pool = schema.pool({ max: 1 });
      const outbox = outboxOf(pool);
      const listeners = async () => {
        const client = await pool.connect();
        client.release();
        return client.listenerCount('error');
      };
      const before = await listeners();
      for (let time = 0; time < 3; time += 1) await outbox.backlog();
      await drained(outbox);
      assert.equal(await listeners(), before);
    });

    it('says what is missing where it was not migrated', async () => {
      await schema.rows(`DROP TABLE "${schema.name}".outbox`);
      const outbox = outboxOf();
      const missing = { code: 'HOPLINE_STORE_NOT_MIGRATED', message: /outbox is not in the database/ };
      await assert.rejects(outbox.add(poolOf(), [entry('a')]), missing);
      await assert.rejects(
        outbox.relay(1, async () => ({ published: [], refused: [] })),
        missing,
      );
      await assert.rejects(outbox.backlog(), missing);
    });
  });
