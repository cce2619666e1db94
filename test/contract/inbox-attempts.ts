import assert from 'node:assert/strict';
import { NoTransactionError } from '../../src/errors.js';
import { type BusEvents, HandlerTimeoutError } from '../../src/index.js';
import type { InboxTransaction } from '../../src/stores/index.js';
import { postgresStores } from '../../src/stores/postgres/index.js';
import { deferred } from '../../src/util/deferred.js';
import { watch, wireHeaders } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';
import { type Shop, shopTests, soon } from './transactions.js';

type Inbox = ReturnType<typeof postgresStores>['inbox'];

/** The shop's stores, with another way to end a transaction. */
function storesOf(shop: Shop, commit: (begun: InboxTransaction) => Promise<Error | undefined>) {
  const stores = postgresStores({ pool: shop.pool, schema: shop.schema.name });
  const begin: Inbox['begin'] = async (...given) => {
    const begun = await stores.inbox.begin(...given);
    if (begun === 'taken' || 'handled' in begun) return begun;
    return Object.assign(Object.create(begun), { commit: () => commit(begun) });
  };
  return { ...stores, inbox: { begin } };
}

export const inboxAttempts: Theme = (test) => {
  const inShop = shopTests(test);

  inShop(
    'a part that is done once in a transaction is done again if that is rolled back',
    async (fx, shop) => {
      const booked = fx.recorder();
      const keys: string[] = [];
      const seen = fx.recorder(async ({ context }) => {
        const result = await context.once('book', async (key) => {
          keys.push(key);
          await shop.insert(context.transaction, `attempt ${context.attempt}`);
          await context.publish('booked', context.attempt);
          return context.attempt;
        });
        assert.equal(await context.once('book', () => 'no other'), result);
        if (context.attempt === 1) throw new Error('after its part');
        assert.equal(result, 2);
      });
      const failed = fx.recorder(async ({ context }) => context.once('told', () => 'at once'));
      const bus = shop
        .bus('shop')
        .handle('k', seen.handle, { name: 'Book', inbox: {}, retry: { tries: 2, backoff: '100ms' } })
        .handle('never', () => Promise.reject(new Error('never')), {
          ...{ inbox: {}, retry: { tries: 1 } },
          failed: (_error, payload, context) => failed.handle(payload, context),
        });
      await fx.bus('taker').handle('booked', booked.handle).start();
      await bus.start();
      await bus.publish('k', 1);
      await soon(fx, () => assert.deepEqual(booked.payloads, [2]));
      assert.deepEqual(await shop.stored(), ['attempt 2']);
      assert.equal(new Set(keys).size, 1, 'what is done elsewhere can be told by its key');
      await bus.publish('never', 1);
      await soon(fx, () => assert.equal(failed.calls.length, 1));
      const ledger = () => shop.schema.rows<{ result: string }>(`SELECT * FROM "${shop.schema.name}".ledger`);
      await soon(fx, async () =>
        assert.deepEqual((await ledger()).map(({ result }) => result).toSorted(), ['"at once"', '2']),
      );
    },
  );

  inShop(
    'what is committed in the grace after a timeout is handled, and nobody is told of a failure',
    async (fx, shop) => {
      const told = fx.recorder();
      const seen = fx.recorder(async ({ payload, context }) => {
        await shop.insert(context.transaction, String(payload));
        if (payload !== 'slow') return;
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
      });
      const bus = shop.bus('shop', { timeoutGrace: '30s' }).handle('k', seen.handle, {
        ...{ inbox: {}, timeout: '300ms', retry: { tries: 1 } },
        failed: (_error, payload, context) => told.handle(payload, context),
      });
      const dead = watch(bus, 'message.deadLettered');
      const timedOut = watch(bus, 'handler.timedOut');
      await bus.start();
      await bus.publish('k', 'slow', { messageId: 'slow' });
      await soon(fx, async () => assert.deepEqual(await shop.stored(), ['slow']));
      const skipped = watch(bus, 'message.skipped');
      await bus.publish('k', 'slow', { messageId: 'slow' });
      await soon(fx, () => assert.equal(skipped.length, 1));
      assert.equal(timedOut.length, 1);
      assert.deepEqual([told.calls, dead], [[], []]);
    },
  );

  for (const isCommitted of [true, false])
    inShop(
      `a commit that nobody answered is found out: it ${isCommitted ? 'was made, and the message is skipped' : 'was not, and the message is handled'}`,
      async (fx, shop) => {
        const told = fx.recorder();
        let commits = 0;
        const stores = storesOf(shop, async (begun) => {
          commits += 1;
          if (commits > 1) return begun.commit();
          await (isCommitted ? begun.commit() : begun.rollBack());
          return new Error('the connection is lost');
        });
        const seen = fx.recorder(({ context }) =>
          shop.insert(context.transaction, `attempt ${seen.calls.length}`),
        );
        const bus = shop.bus('shop', { stores }).handle('k', seen.handle, {
          ...{ inbox: {}, retry: { tries: 1 } },
          failed: (_error, payload, context) => told.handle(payload, context),
        });
        const ended = watch(bus, 'message.skipped', 'handler.succeeded');
        const dead = watch(bus, 'message.deadLettered');
        await bus.start();
        await bus.publish('k', 1);
        await soon(fx, () => assert.equal(ended.length, 1), 20_000);
        assert.deepEqual(await shop.stored(), [`attempt ${isCommitted ? 1 : 2}`]);
        assert.deepEqual([told.calls, dead], [[], []]);
        assert.deepEqual(new Set(seen.attempts), new Set([1]));
      },
    );

  inShop('a commit that is under way when the grace is over is found out, too', async (fx, shop) => {
    const gate = deferred();
    let commits = 0;
    const stores = storesOf(shop, async (begun) => {
      commits += 1;
      if (commits === 1) await gate.promise;
      return begun.commit();
    });
    const seen = fx.recorder(({ context }) =>
      shop.insert(context.transaction, `attempt ${seen.calls.length}`),
    );
    const bus = shop.bus('shop', { stores, timeoutGrace: '100ms' }).handle('k', seen.handle, {
      ...{ inbox: {}, timeout: '1s', retry: { tries: 1 } },
    });
    const ended = watch(bus, 'message.released', 'message.deadLettered', 'handler.succeeded');
    await bus.start();
    await bus.publish('k', 1);
    await soon(fx, () => assert.equal(ended.length, 2), 20_000);
    gate.resolve();
    assert.deepEqual(
      ended.map(({ name }) => name),
      ['message.released', 'handler.succeeded'],
    );
    assert.deepEqual(await shop.stored(), ['attempt 2']);
  });

  inShop(
    'what still runs when its transaction is over publishes nothing; failed() does',
    async (fx, shop) => {
      const heard = fx.recorder();
      const gate = deferred();
      const failing = deferred();
      const late: unknown[] = [];
      const seen = fx.recorder(async ({ payload, context }) => {
        const straggler = gate.promise
          .then(() => context.publish('done', payload))
          .then(
            () => late.push('it was published'),
            (error) => late.push(error),
          );
        if (payload === 'throws') throw new Error('while a part of it goes on');
        await straggler;
      });
      const bus = shop.bus('shop', { timeoutGrace: '100ms' }).handle('k', seen.handle, {
        ...{ inbox: {}, timeout: '300ms', retry: { tries: 2, backoff: '100ms' } },
        failed: async (_error, payload, context) => {
          await context.publish('failed', payload);
          if (payload === 'slow') failing.resolve();
        },
      });
      await fx.bus('taker').handle('done', heard.handle).handle('failed', heard.handle, {}).start();
      await bus.start();
      await bus.publish('k', 'throws');
      await soon(fx, () => assert.deepEqual(heard.payloads, ['throws']), 20_000);
      await bus.publish('k', 'slow');
      await fx.eventually(() => assert.equal(heard.payloads.length, 2), { timeout: 20_000 });
      await failing.promise;
      gate.resolve();
      await soon(fx, () => assert.equal(late.length, 4));
      const refusals = [NoTransactionError, NoTransactionError, HandlerTimeoutError, HandlerTimeoutError];
      assert.deepEqual(new Set(late.map((error) => (error as Error).constructor)), new Set(refusals));
      await bus.publish('done', 'end');
      await soon(fx, () => assert.equal(heard.payloads.at(-1), 'end'));
      assert.deepEqual(heard.keys, ['failed', 'failed', 'done']);
    },
  );

  inShop(
    'a step that ends its chain, is committed and comes again before that is told ends its job',
    async (fx, shop) => {
      const gate = deferred();
      let commits = 0;
      const stores = storesOf(shop, async (begun) => {
        const unanswered = await begun.commit();
        commits += 1;
        await gate.promise;
        return unanswered;
      });
      const seen = fx.recorder(({ context }) => context.discard());
      const bus = shop
        .bus('shop', { stores })
        .handle('job', seen.handle, { inbox: { by: (payload) => payload } });
      await bus.start();
      const batch = bus.batch([[1, 2].map((payload) => ({ key: 'job', payload }))]);
      await batch.dispatch();
      await soon(fx, () => assert.equal(commits, 1));
      const { context } = seen.at(0);
      const { messageId } = context;
      const properties = {
        headers: wireHeaders(context),
        messageId: messageId as string,
        contentType: 'application/json',
      };
      await fx.foreign.publish({ exchange: fx.events, routingKey: 'job', body: '1', properties });
      await soon(fx, async () => assert.equal((await bus.findBatch(batch.id))?.done, 1));
      assert.equal(seen.calls.length, 1);
      gate.resolve();
    },
  );

  inShop(
    'a next step that is too large for its header, with what is carried on, fails the attempt',
    async (fx, shop) => {
      const bus = shop
        .bus('shop')
        .handle('step.*', (_payload, context) => context.step?.pass('x'.repeat(20_000)), {
          ...{ inbox: {}, queue: fx.name('q'), retry: { tries: 1 } },
        });
      const dead = watch(bus, 'message.deadLettered');
      await bus.start();
      const headers = { baggage: 'b'.repeat(20_000) };
      await bus
        .chain([
          { key: 'step.1', payload: {}, headers },
          { key: 'step.2', payload: {} },
        ])
        .dispatch();
      await soon(fx, () => assert.equal(dead.length, 1));
      const [{ event } = assert.fail('none is dead')] = dead;
      const { error } = event as BusEvents['message.deadLettered'];
      assert.equal((error as { code?: string }).code, 'HOPLINE_MESSAGE_TOO_LARGE');
      assert.equal((await bus.outboxBacklog()).waiting, 0);
    },
  );

  inShop('what was handled is remembered from its end on, however long that took', async (fx, shop) => {
    const kept: number[] = [];
    const stores = postgresStores({ pool: shop.pool, schema: shop.schema.name });
    const begin: Inbox['begin'] = (key, keepMs, note) => {
      kept.push(keepMs);
      return stores.inbox.begin(key, keepMs, note);
    };
    const seen = fx.recorder();
    const bus = shop
      .bus('shop', { stores: { ...stores, inbox: { begin } }, timeoutGrace: '2s' })
      .handle('k', seen.handle, { inbox: { keep: '1s' }, timeout: '10s' });
    await bus.start();
    await bus.publish('k', 1);
    await soon(fx, () => assert.equal(seen.calls.length, 1));
    assert.ok(
      kept.every((ms) => ms >= 13_000),
      String(kept),
    );
  });
};
