import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { BusOptions } from '../../src/bus/options.js';
import { type Bus, staticKeys } from '../../src/index.js';
import { outbox, postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, watch } from '../support/bus-fixture.js';
import { eventually } from '../support/eventually.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import type { Test, Theme } from './theme.js';

/** A database with Hopline's tables and one of the application's own, and buses that use it. */
export class Shop {
  readonly pool: pg.Pool;
  private readonly buses: Bus[] = [];

  constructor(
    private readonly fx: BusFixture,
    readonly schema: TestSchema,
  ) {
    this.pool = schema.pool({ max: 20 });
  }

  bus(service: string, options: Partial<BusOptions> = {}): Bus {
    const stores = postgresStores({ pool: this.pool, schema: this.schema.name });
    const bus = this.fx.bus(service, { stores, ...options });
    this.buses.push(bus);
    return bus;
  }

  get orders(): string {
    return `"${this.schema.name}".orders`;
  }

  async insert(client: { query(text: string, values?: unknown[]): PromiseLike<unknown> }, id: string) {
    await client.query(`INSERT INTO ${this.orders} VALUES ($1)`, [id]);
  }

  async stored(): Promise<string[]> {
    const rows = await this.schema.rows<{ id: string }>(`SELECT id FROM ${this.orders} ORDER BY id`);
    return rows.map(({ id }) => id);
  }

  /** Works in a transaction of the application's own. */
  async transaction(work: (client: pg.PoolClient) => Promise<unknown>): Promise<void> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      await work(client);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  }

  async end(): Promise<void> {
    for (const bus of this.buses) await this.fx.outcome(bus.stop()).catch(() => {});
    await this.schema.drop();
  }
}

/** The database goes by its own time, whatever the transport's does: waits for both. A try has time for a query on a busy machine. */
export const soon = (fx: BusFixture, check: () => unknown, timeout = 10_000) =>
  eventually(() => fx.eventually(async () => void (await check()), { timeout: 500 }).then(() => true), {
    timeout,
  });

/** Tests that get a shop of their own. */
export const shopTests =
  (test: Test) => (title: string, body: (fx: BusFixture, shop: Shop) => Promise<void>) =>
    test(title, async (fx) => {
      const schema = new TestSchema((await sharedPostgres()).url);
      await schema.connected(async (client) => {
        await migrate(client, schema.name);
        await client.query(`CREATE TABLE "${schema.name}".orders (id text PRIMARY KEY)`);
      });
      const shop = new Shop(fx, schema);
      try {
        await body(fx, shop);
      } finally {
        await shop.end();
      }
    });

export const transactions: Theme = (test) => {
  const inShop = shopTests(test);

  inShop('what is encrypted is so in an outbox already, and with its transaction', async (fx, shop) => {
    const seen = fx.recorder();
    const secret = 'the card is 4711';
    const keys = staticKeys({ current: 'k1', keys: { k1: randomBytes(32) } });
    const asking = { current: async () => keys.current(), find: async (id: string) => keys.find(id) };
    const taker = fx.bus('taker', { encryption: { keys } });
    await taker.handle('order.#', seen.handle, { encrypted: true }).start();
    // Whoever relays it needs no key.
    const relay = shop.bus('shop', { relayOutbox: true });
    const bus = shop.bus('shop', { encryption: { keys: asking } });
    const step = (key: string) => ({ key, payload: secret, encrypted: true });
    await shop.transaction(async (client) => {
      const through = outbox(bus, client);
      await through.publish('order.placed', secret, { encrypted: true });
      await through.sendMany('order.many', [secret], { encrypted: true });
      await through.chain([step('order.first'), step('order.second')]).dispatch();
    });
    const stored = await shop.schema.rows(`SELECT * FROM "${shop.schema.name}".outbox`);
    assert.equal(stored.length, 3);
    assert.ok(!JSON.stringify(stored).includes(secret));
    await relay.start();
    await fx.eventually(() =>
      assert.deepEqual(seen.keys.toSorted(), ['order.first', 'order.many', 'order.placed', 'order.second']),
    );
    for (const payload of seen.payloads) assert.equal(payload, secret);
  });

  inShop('what is added to an outbox resolves to its id, and is not confirmed', async (fx, shop) => {
    const seen = fx.recorder();
    await fx.bus('taker').handle('#', seen.handle).start();
    const inside: unknown[] = [];
    const worker = shop.bus('shop').handle(
      'work',
      async (_payload, context) => {
        inside.push(await context.publish('inside', {}, { messageId: 'inside' }));
      },
      { inbox: {} },
    );
    await worker.start();
    const at = new Date(fx.harness.clock.now() + 3_600_000);
    const given: unknown[] = [];
    let id: string | undefined;
    await shop.transaction(async (client) => {
      const through = outbox(worker, client);
      id = (await through.publish('outside', {})).messageId;
      given.push(
        await through.send('late', {}, { messageId: 'late', delay: '1h' }),
        await through.send('later', {}, { messageId: 'later', at }),
        await through.chain([{ key: 'step', payload: {} }], { id: 'chain' }).dispatch(),
        await through.sendMany('many', [1, 2, 3].values()),
        await through.send('work', {}, { messageId: 'work' }),
      );
    });
    const added = (messageId: string, dueAt?: Date) => ({ messageId, confirmed: false, dueAt });
    assert.deepEqual(given, [
      added('late'),
      added('later', at),
      added('chain'),
      { count: 3, confirmed: false },
      added('work'),
    ]);
    await soon(fx, () => assert.equal(seen.calls.length, 7));
    assert.deepEqual(inside, [added('inside')]);
    const idOf = (key: string) => seen.calls.find((call) => call.routingKey === key)?.context.messageId;
    assert.deepEqual([idOf('outside'), idOf('inside')], [id, 'inside']);
  });

  inShop(
    'what is published through an outbox is published if its transaction is committed',
    async (fx, shop) => {
      const seen = fx.recorder();
      const taker = fx.bus('taker').handle('order.#', seen.handle);
      await taker.start();
      const bus = shop.bus('shop', { relayOutbox: true });
      const relayed = watch(bus, 'outbox.relayed');
      await shop.transaction(async (client) => {
        // Of a bus that is not started yet.
        await outbox(bus, client).publish(
          'order.placed',
          { order: 'a' },
          { messageId: 'own', headers: { x: 1 } },
        );
        await shop.insert(client, 'a');
      });
      await bus.start();
      await soon(fx, () => assert.deepEqual(seen.payloads, [{ order: 'a' }]));
      const failed = shop.transaction(async (client) => {
        await outbox(bus, client).send('order.placed', { order: 'never' });
        throw new Error('something else');
      });
      await assert.rejects(failed, /something else/);
      await shop.transaction(async (client) => {
        const through = outbox(bus, client, { orderKey: 'orders' });
        await through.sendMany('order.many', [1, 2, 3]);
        await through.send('order.last', 'end');
      });
      await soon(fx, () => assert.equal(seen.payloads.at(-1), 'end'));
      assert.deepEqual(seen.payloads, [{ order: 'a' }, 1, 2, 3, 'end']);
      const [first] = seen.calls;
      assert.equal(first?.context.messageId, 'own');
      assert.deepEqual({ ...first?.context.headers }, { x: 1 });
      assert.deepEqual(await shop.stored(), ['a']);
      await soon(fx, async () => assert.equal((await bus.outboxBacklog()).waiting, 0));
      const counts = relayed.map(({ event }) => (event as { published: number }).published);
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        5,
      );
    },
  );

  inShop('an outbox checks what it is given, and says what a bus lacks', async (fx, shop) => {
    const bus = shop.bus('shop');
    const through = outbox(bus, shop.pool);
    const refused = { code: 'HOPLINE_OPTIONS' };
    await assert.rejects(through.publish('k', 1, { deadline: '1s' }), refused);
    await assert.rejects(through.publish('k.*', 1), { code: 'HOPLINE_INVALID_MESSAGE' });
    await assert.rejects(through.publish('k', 1n), { code: 'HOPLINE_INVALID_MESSAGE' });
    await assert.rejects(through.publish('k\0', 1), { ...refused, message: /routingKey.*without NUL/ });
    await assert.rejects(through.publish('k', 1, { messageId: '\ud800' }), refused);
    for (const orderKey of ['', 'a\0b', 'a\ud800', 'é'.repeat(128)])
      assert.throws(() => outbox(bus, shop.pool, { orderKey }), { ...refused, message: /orderKey/ });
    await outbox(bus, shop.pool, { orderKey: '🐇'.repeat(63) }).publish('k', 1);
    await shop.schema.rows(`TRUNCATE "${shop.schema.name}".outbox`);
    assert.throws(() => outbox(bus, {} as never), refused);
    assert.throws(() => outbox(fx.bus('without'), shop.pool), {
      ...refused,
      message: /expected stores that have an outbox, as postgresStores\(\)/,
    });
    assert.throws(() => fx.bus('without', { relayOutbox: true }), { ...refused, message: /relayOutbox/ });
    assert.equal((await bus.outboxBacklog()).waiting, 0);
  });

  inShop(
    'a chain that its header can not carry is refused before it lies in an outbox',
    async (_fx, shop) => {
      const bus = shop.bus('shop');
      const steps = [
        { key: 'first', payload: 1, delay: '1s' as const },
        { key: 'second', payload: 'x'.repeat(40_000) },
      ];
      await assert.rejects(outbox(bus, shop.pool).chain(steps).dispatch(), {
        code: 'HOPLINE_MESSAGE_TOO_LARGE',
        message: /step 1 of a chain can't carry the 1 after it/,
      });
      assert.equal((await bus.outboxBacklog()).waiting, 0);
    },
  );

  inShop('what another service relays is still from the one that has left it', async (fx, shop) => {
    const taker = fx.bus('taker').handle('order.#', () => {});
    await taker.start();
    await fx.stop(taker);
    const bus = shop.bus('shop', { relayOutbox: false }).handle('step', () => {}, { inbox: {} });
    await bus.start();
    await bus
      .chain([
        { key: 'step', payload: 0 },
        { key: 'order.next', payload: 0 },
      ])
      .dispatch();
    await soon(fx, async () => assert.equal((await bus.outboxBacklog()).waiting, 1));
    await fx.stop(bus);
    await outbox(bus, shop.pool).publish('order.placed', 1);
    // As an older version has left it.
    await outbox(bus, shop.pool).publish('order.old', 2);
    await shop.schema.rows(
      `UPDATE "${shop.schema.name}".outbox SET message = (message::jsonb - 'service')::text WHERE routing_key = 'order.old'`,
    );
    const relay = shop.bus('relay', { relayOutbox: true });
    await relay.start();
    const taken = await fx.taken(fx.name('taker'), 3);
    const from = Object.fromEntries(taken.map(({ properties }) => [properties.type, properties.appId]));
    assert.deepEqual(from, {
      'order.next': bus.service,
      'order.placed': bus.service,
      'order.old': relay.service,
    });
  });

  inShop('what no queue takes waits in the outbox, is told, and holds up nothing else', async (fx, shop) => {
    const seen = fx.recorder();
    const taker = fx.bus('taker').handle('taken', seen.handle);
    await taker.start();
    const bus = shop.bus('shop', { relayOutbox: true });
    const refused = watch(bus, 'outbox.refused');
    await outbox(bus, shop.pool).send('nobody', 1);
    await outbox(bus, shop.pool).send('taken', 2);
    fx.expectError(/a message of the outbox cannot be published/);
    await bus.start();
    await soon(fx, () => assert.deepEqual(seen.payloads, [2]));
    await soon(fx, () => assert.ok(refused.length > 0));
    // The store hears of it after the listeners.
    const refusals = async () => (await bus.outboxBacklog()).refused;
    const keys = async () => (await refusals()).map(({ routingKey }) => routingKey);
    await soon(fx, async () => assert.deepEqual(await keys(), ['nobody']));
    assert.match((await refusals())[0]?.error ?? '', /no queue/);
    // Once somebody takes it, it arrives.
    const late = fx.recorder();
    await fx.bus('late').handle('nobody', late.handle).start();
    await soon(fx, () => assert.deepEqual(late.payloads, [1]), 30_000);
  });

  inShop(
    'a handler with an inbox works, is remembered and publishes in one transaction',
    async (fx, shop) => {
      const results = fx.recorder();
      const seen = fx.recorder(async ({ payload, context }) => {
        await shop.insert(context.transaction, `${payload}, attempt ${context.attempt}`);
        await context.publish('done', payload);
        if (context.attempt === 1) throw new Error('after its work');
      });
      const bus = shop
        .bus('shop')
        .handle('k', seen.handle, { name: 'Place', inbox: {}, retry: { backoff: '100ms' } });
      const skipped = watch(bus, 'message.skipped');
      await fx.bus('taker').handle('done', results.handle).start();
      await bus.start();
      await bus.publish('k', 'a', { messageId: 'the same' });
      await soon(fx, () => assert.deepEqual(results.payloads, ['a']));
      assert.deepEqual(await shop.stored(), ['a, attempt 2']);
      assert.deepEqual(seen.attempts, [1, 2]);
      for (let copy = 1; copy <= 3; copy += 1) {
        await bus.publish('k', 'a', { messageId: 'the same' });
        await soon(fx, () => assert.equal(skipped.length, copy));
      }
      await bus.publish('k', 'b');
      await soon(fx, () => assert.deepEqual(results.payloads, ['a', 'b']));
      assert.equal(results.at(0).context.correlationId, 'the same');
      assert.deepEqual(await shop.stored(), ['a, attempt 2', 'b, attempt 2']);
    },
  );

  inShop(
    'of copies that come at the same time one is handled, and nobody waits for a lock',
    async (fx, shop) => {
      const gate = deferred();
      const seen = fx.recorder(async ({ payload, context }) => {
        if (payload === 'first of all') return;
        await shop.insert(context.transaction, 'once');
        await gate.promise;
      });
      const bus = shop.bus('shop').handle('k', seen.handle, { name: 'Place', inbox: {}, timeout: '20s' });
      const released = watch(bus, 'message.released');
      const skipped = watch(bus, 'message.skipped');
      await bus.start();
      await bus.publish('k', 'first of all');
      await soon(fx, () => assert.equal(seen.calls.length, 1));
      for (let copy = 0; copy < 3; copy += 1) await bus.publish('k', copy, { messageId: 'the same' });
      // In no time: a clock that is moved would end the attempt.
      await eventually(() => assert.equal(released.length, 2));
      gate.resolve();
      await soon(fx, () => assert.equal(skipped.length, 2), 30_000);
      assert.deepEqual(await shop.stored(), ['once']);
    },
  );

  inShop('what a handler has asked for decides whether its transaction is committed', async (fx, shop) => {
    const results = fx.recorder();
    const failed = fx.recorder();
    const seen = fx.recorder(async ({ payload, context }) => {
      await shop.insert(context.transaction, String(payload));
      await context.publish('done', payload);
      if (payload === 'fail') context.fail('no');
      if (payload === 'release' && seen.calls.filter((call) => call.payload === 'release').length === 1)
        context.release('100ms');
      if (payload === 'discard') context.discard();
      // A statement that fails, and is caught, takes the transaction with it.
      if (payload === 'broken') await context.transaction.query('SELECT 1 / 0').catch(() => {});
    });
    const bus = shop.bus('shop').handle('k', seen.handle, {
      ...{ name: 'Place', inbox: {}, queue: fx.name('q'), retry: { tries: 1 } },
      failed: async (_error, payload, context) => {
        assert.throws(() => context.transaction, { code: 'HOPLINE_NO_TRANSACTION' });
        await context.publish('failed', payload);
      },
    });
    await fx.bus('taker').handle('done', results.handle).handle('failed', failed.handle).start();
    await bus.start();
    for (const payload of ['fail', 'release', 'discard', 'broken', 'good']) {
      await bus.publish('k', payload);
    }
    await soon(fx, () => assert.equal(results.calls.length, 3), 30_000);
    await soon(fx, () => assert.equal(failed.calls.length, 2), 30_000);
    assert.deepEqual(results.payloads.toSorted(), ['discard', 'good', 'release']);
    assert.deepEqual(failed.payloads.toSorted(), ['broken', 'fail']);
    assert.deepEqual(await shop.stored(), ['discard', 'good', 'release']);
  });

  inShop(
    'a handler that runs too long has changed nothing, and can change nothing any more',
    async (fx, shop) => {
      const late = deferred<unknown>();
      const gate = deferred();
      const seen = fx.recorder(async ({ context }) => {
        const { transaction } = context;
        await shop.insert(transaction, `attempt ${context.attempt}`);
        if (context.attempt > 1) return;
        await gate.promise;
        late.resolve(await transaction.query('SELECT 1').catch((error) => error));
      });
      const options = { name: 'Place', inbox: {}, timeout: '300ms', retry: { backoff: '100ms' } } as const;
      const bus = shop.bus('shop', { timeoutGrace: '100ms' }).handle('k', seen.handle, options);
      await bus.start();
      await bus.publish('k', 1);
      await soon(fx, async () => assert.deepEqual(await shop.stored(), ['attempt 2']), 20_000);
      gate.resolve();
      assert.ok((await late.promise) instanceof Error);
      assert.deepEqual(await shop.stored(), ['attempt 2']);
    },
  );

  inShop('the next step of a chain leaves with the transaction of the one before', async (fx, shop) => {
    const seen = fx.recorder(async ({ context }) => {
      await shop.insert(context.transaction, `${context.routingKey} ${context.step?.result ?? ''}`);
      context.step?.pass(context.step.number);
    });
    const bus = shop.bus('shop').handle('step.*', seen.handle, { name: 'Step', inbox: {} });
    await bus.start();
    await bus.chain([1, 2, 3].map((number) => ({ key: `step.${number}`, payload: number }))).dispatch();
    await soon(fx, async () => assert.deepEqual(await shop.stored(), ['step.1 ', 'step.2 1', 'step.3 2']));
    assert.equal(seen.calls.length, 3);
  });

  inShop(
    'a message whose database is away comes back, and a mistake in the options is said at start',
    async (fx, shop) => {
      const seen = fx.recorder(async ({ context }) => shop.insert(context.transaction, 'a'));
      const stores = postgresStores({ pool: shop.pool, schema: shop.schema.name });
      let isAway = true;
      const begin: (typeof stores.inbox)['begin'] = (...given) =>
        isAway ? Promise.reject(new Error('away')) : stores.inbox.begin(...given);
      const bus = shop
        .bus('shop', { stores: { ...stores, inbox: { begin } } })
        .handle('k', seen.handle, { name: 'Place', inbox: {}, retry: { tries: 1 } });
      const released = watch(bus, 'message.released');
      await bus.start();
      await bus.publish('k', 1);
      await soon(fx, () => assert.equal(released.length, 1));
      isAway = false;
      await soon(fx, async () => assert.deepEqual(await shop.stored(), ['a']), 30_000);
      assert.deepEqual(seen.attempts, [1]);

      const wrong = fx.bus('wrong').handle('k', () => {}, { name: 'Place', inbox: {}, idempotent: {} });
      await assert.rejects(wrong.start(), (error: Error) => {
        assert.match(
          error.message,
          /Place: expected the bus's stores to have an inbox, as postgresStores\(\)/,
        );
        assert.match(error.message, /Place: expected either inbox or idempotent, got both/);
        return true;
      });
    },
  );
};
