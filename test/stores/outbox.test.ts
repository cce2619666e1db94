import assert from 'node:assert/strict';
import type pg from 'pg';
import type { OutboxEntry, TakenEntry } from '../../src/stores/outbox.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { PostgresOutbox } from '../../src/stores/postgres/outbox/outbox.js';
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

    it('gives what is behind a refused one of another key, however much the refused one holds up', async () => {
      const outbox = outboxOf();
      const held = Array.from({ length: 9 }, (_, number) => entry(`held ${number}`, 'held'));
      await outbox.add(poolOf(), [...held, entry('a1', 'a'), entry('b1', 'b')]);
      await outbox.relay(1, async (entries) => ({
        published: [],
        refused: entries.map(({ id }) => ({ id, error: 'no queue takes it', againMs: 60_000 })),
      }));
      assert.deepEqual(await drained(outbox), ['a1', 'b1']);
    });

    it('gives what is behind a key that another relay has, however much that key has', async () => {
      const outbox = outboxOf();
      const hot = Array.from({ length: 9 }, (_, number) => entry(`hot ${number}`, 'hot'));
      await outbox.add(poolOf(), [...hot, entry('a1', 'a')]);
      await outbox.relay(1, async (entries) => {
        assert.deepEqual(await drained(outboxOf()), ['a1']);
        return published(entries);
      });
    });

    it('takes no more at once than fits into memory, one at least, and goes on with what is behind it', async () => {
      const outbox = outboxOf();
      const large = (name: string) => name + 'x'.repeat(1_000);
      await outbox.add(poolOf(), [entry(large('a')), entry('b'), entry(large('c')), entry('d')]);
      const rounds: string[] = [];
      const note = async (entries: readonly TakenEntry[]) => {
        rounds.push(
          texts(entries)
            .map(([first]) => first)
            .join(''),
        );
        return published(entries);
      };
      while ((await outbox.relay(10, note, 1_003)) > 0);
      assert.deepEqual(rounds, ['abc', 'd']);
      await outbox.add(poolOf(), [entry(large('e')), entry('f')]);
      await outbox.relay(10, note, 1);
      assert.equal(rounds.at(-1), 'e');
    });

    it('compares one moment with when the refused are due, however long it walks over them', async () => {
      const outbox = outboxOf();
      const table = `"${schema.name}".outbox`;
      const refused = { message_id: 'a', routing_key: 'k', message: 'head' };
      const columns = `(${Object.keys(refused)}, order_key, again_at)`;
      const values = Object.values(refused).map((value) => `'${value}'`);
      const dueIn = (ms: number) => `clock_timestamp() + interval '${ms} milliseconds'`;
      await schema.rows(`INSERT INTO ${table} ${columns} VALUES (${values}, 'k', ${dueIn(3_600_000)})`);
      await schema.rows(
        `INSERT INTO ${table} ${columns} SELECT ${values}, 'other ' || n, ${dueIn(3_600_000)} FROM generate_series(1, 100000) n`,
      );
      await outbox.add(poolOf(), [entry('next', 'k')]);
      for (let time = 0; time < 5; time += 1) {
        await schema.rows(
          `UPDATE ${table} SET again_at = ${dueIn(100)} WHERE order_key = 'k' AND message = 'head'`,
        );
        let taken: string[] = [];
        // Without a pause: it is to come due while one of them walks.
        while (taken.length === 0)
          await outbox.relay(10, async (entries) => {
            taken = texts(entries);
            return { published: [], refused: [] };
          });
        assert.deepEqual(taken, ['head', 'next']);
      }
    });

    it('removes what was published whatever becomes of writing down why another one was refused', async () => {
      const outbox = outboxOf();
      await outbox.add(
        poolOf(),
        ['published', 'with NUL', 'with too much', 'not storable'].map((text) => entry(text)),
      );
      await schema.rows(
        `ALTER TABLE "${schema.name}".outbox ADD CHECK (error NOT LIKE 'nobody stores%' AND length(error) <= 2000)`,
      );
      const errors = ['NUL \0 in it', 'x'.repeat(100_000), 'nobody stores this'];
      await outbox.relay(10, async ([first, ...rest]) => ({
        published: [first?.id ?? ''],
        refused: rest.map(({ id }, place) => ({ id, error: errors[place] ?? '', againMs: 60_000 })),
      }));
      const { waiting, refused } = await outbox.backlog();
      assert.equal(waiting, 3);
      assert.deepEqual(
        refused.map(({ refusals, error }) => [refusals, error.slice(0, 20)]),
        [
          [1, 'NUL  in it'],
          [1, 'x'.repeat(20)],
          [1, "the error can't be s"],
        ],
      );
    });

    it('keeps the outcome of a round that took longer than a session may be idle in a transaction', async () => {
      const outbox = outboxOf(schema.pool({ idle_in_transaction_session_timeout: 50 }));
      await outbox.add(poolOf(), [entry('a')]);
      await outbox.relay(10, async (entries) => {
        await schema.rows('SELECT pg_sleep(0.3)');
        return published(entries);
      });
      assert.equal((await outbox.backlog()).waiting, 0);
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
      assert.equal(await listening.rest(), true);
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
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_lock(%' AND pid <> pg_backend_pid() AND application_name = '${schema.name}'`,
      );
      await eventually(() => assert.equal(listening.isOn, false));
      listening.end();
    });

    it('wakes nobody who does not rest, and lets nobody rest before what was added by then can be seen', async () => {
      const pool = poolOf();
      const outbox = outboxOf();
      let woken = 0;
      const [first, second] = [
        await outbox.listen(() => {
          woken += 1;
        }),
        await outbox.listen(() => {}),
      ];
      const client = await pool.connect();
      await client.query('BEGIN');
      await outbox.add(client, [entry('a')]);
      assert.equal(await first.rest(), false);
      await client.query('COMMIT');
      assert.equal(await first.rest(), true);
      assert.equal(await second.rest(), true, 'another one is woken with it');
      assert.equal(woken, 0);
      await first.rise();
      await outbox.add(client, [entry('b')]);
      await second.rest();
      assert.equal(woken, 0);
      await outbox.add(client, [entry('c')]);
      await eventually(() => assert.equal(woken, 1));
      client.release();
      first.end();
      second.end();
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
