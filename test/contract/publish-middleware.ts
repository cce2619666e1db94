import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import type { HandlerContext } from '../../src/consume/attempt/context.js';
import {
  type Bus,
  defineMessage,
  InvalidMessageError,
  MiddlewareError,
  type MiddlewareObject,
  OptionsError,
  PayloadInvalidError,
  PublishManyError,
  type PublishRequest,
  staticKeys,
  UnroutableError,
} from '../../src/index.js';
import { PACK_CONTENT_TYPE } from '../../src/message/wire/pack.js';
import type { PublishedChange } from '../../src/pipeline/publish-middleware.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { outbox } from '../../src/stores/postgres/index.js';
import type { Theme } from './theme.js';
import { shopTests, soon } from './transactions.js';

/** Publish middleware that remembers what it sees, and how that ends. */
class Audit implements MiddlewareObject {
  readonly messages: PublishRequest[] = [];
  readonly ends: string[] = [];

  constructor(private readonly change?: (message: PublishRequest) => PublishedChange | undefined) {}

  async publish(...[message, next]: Parameters<NonNullable<MiddlewareObject['publish']>>) {
    this.messages.push(message);
    try {
      const published = await next(this.change?.(message));
      this.ends.push(published.messageId);
      return published;
    } catch (error) {
      this.ends.push((error as Error).name);
      throw error;
    }
  }

  get keys(): string[] {
    return this.messages.map(({ routingKey }) => routingKey);
  }

  get payloads(): unknown[] {
    return this.messages.map(({ payload }) => payload);
  }
}

const gzipped = () => new Audit(() => ({ encode: (body) => gzipSync(body), contentEncoding: 'gzip' }));

const tenantHeader = (tenant: string) => new Audit(() => ({ headers: { tenant } }));

export const publishMiddleware: Theme = (test) => {
  test('publish middleware sees each publish and send, changes it, and gets its result', async (fx) => {
    const audit = new Audit(({ payload }) => ({
      payload: { of: payload },
      headers: { tenant: 'acme', a: 2 },
    }));
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { middleware: [audit] }).handle('k', seen.handle);
    await bus.start();
    const published = await bus.publish('k', 1, { headers: { a: 1, b: 1 }, correlationId: 'c' });
    const sent = await bus.send('k', 2, { messageId: 'mine' });
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    const [first, second] = audit.messages;
    assert.deepEqual(
      { ...first, definition: undefined },
      {
        ...{ intent: 'publish', routingKey: 'k', definition: undefined, payload: 1 },
        ...{ headers: { a: 1, b: 1 }, messageId: undefined, correlationId: 'c' },
      },
    );
    assert.deepEqual([second?.intent, second?.messageId], ['send', 'mine']);
    assert.deepEqual(audit.ends, [published.messageId, sent.messageId]);
    assert.deepEqual(seen.payloads, [{ of: 1 }, { of: 2 }]);
    assert.deepEqual({ ...seen.at(0).context.headers }, { a: 2, b: 1, tenant: 'acme' });
  });

  test('the first middleware is the outermost, and each sees what those before it have changed', async (fx) => {
    const seen = fx.recorder();
    const outer = new Audit(({ payload }) => ({
      payload: `${payload} outer`,
      headers: { x: 'outer', o: 1 },
    }));
    const inner = new Audit(({ payload }) => ({ payload: `${payload} inner`, headers: { x: 'inner' } }));
    const bus = fx.bus('mailer', { middleware: [outer, inner] }).handle('k', seen.handle);
    await bus.start();
    await bus.publish('k', 'mine');
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    assert.deepEqual([outer.payloads, inner.payloads], [['mine'], ['mine outer']]);
    assert.deepEqual(inner.messages[0]?.headers, { x: 'outer', o: 1 });
    assert.equal(seen.payloads[0], 'mine outer inner');
    assert.deepEqual({ ...seen.at(0).context.headers }, { x: 'inner', o: 1 });
  });

  test('it runs in the context of the call, before the schema; errors of the publish reach it', async (fx) => {
    const tenants = new AsyncLocalStorage<string>();
    const audit = new Audit(() => ({ headers: { tenant: tenants.getStore() as string } }));
    const numbers = defineMessage('n', z.number());
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { middleware: [audit] }).handle('n', seen.handle);
    await bus.start();
    await tenants.run('acme', () => bus.publish(numbers, 1));
    await assert.rejects(
      tenants.run('t', () => bus.publish(numbers, 'x' as never)),
      PayloadInvalidError,
    );
    await assert.rejects(
      tenants.run('t', () => bus.send('nobody', 1)),
      UnroutableError,
    );
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    assert.equal(seen.at(0).context.headers.tenant, 'acme');
    assert.equal(audit.messages[1]?.definition, numbers);
    assert.deepEqual(audit.ends.slice(1), ['PayloadInvalidError', 'UnroutableError']);
    await assert.rejects(
      tenants.run('t', () => bus.publish('n', 1, { prio: 1 } as never)),
      OptionsError,
    );
    assert.equal(audit.messages.length, 3, 'a call with wrong options is no publish');
  });

  test('what it throws before next() is the error of the call, and nothing is sent; so with a result of its own', async (fx) => {
    const seen = fx.recorder();
    const own = { messageId: 'none', confirmed: false, dueAt: undefined };
    const guard: MiddlewareObject = {
      async publish({ payload }, next) {
        if (payload === 'refused') throw new RangeError('not that');
        return payload === 'swallowed' ? own : next();
      },
    };
    const bus = fx.bus('mailer', { middleware: [guard] }).handle('k', seen.handle);
    await bus.start();
    await assert.rejects(bus.publish('k', 'refused'), new RangeError('not that'));
    assert.equal(await bus.publish('k', 'swallowed'), own);
    await bus.publishMany('k', ['swallowed', 'sent']);
    await assert.rejects(bus.sendMany('k', ['refused', 'sent too']), (error: PublishManyError) => {
      assert.ok(error instanceof PublishManyError);
      assert.deepEqual(
        error.failures.map(({ index, error: { message } }) => [index, message]),
        [[0, 'not that']],
      );
      return true;
    });
    await fx.eventually(() => assert.deepEqual(seen.payloads.toSorted(), ['sent', 'sent too']));
  });

  test('what it throws after next() is the error of the call, though the message is published', async (fx) => {
    const seen = fx.recorder();
    const late: MiddlewareObject = {
      async publish(_message, next) {
        await next();
        throw new RangeError('too late');
      },
    };
    const bus = fx.bus('mailer', { middleware: [late] }).handle('k', seen.handle);
    await bus.start();
    await assert.rejects(bus.publish('k', 1), new RangeError('too late'));
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
  });

  test('a second next(), a wrong change and a missing result are errors that name themselves', async (fx) => {
    let wrong: MiddlewareObject['publish'];
    const middleware: MiddlewareObject = { publish: (...call) => wrong?.(...call) as never };
    const bus = fx.bus('mailer', { middleware: [middleware] });
    await bus.start();
    wrong = async (_message, next) => {
      await next();
      return next();
    };
    await assert.rejects(bus.publish('k', 1), MiddlewareError);
    wrong = (_message, next) => next({ header: {} } as never);
    await assert.rejects(bus.publish('k', 1), (error: Error) => {
      assert.ok(error instanceof InvalidMessageError);
      assert.match(error.message, /unknown option header, did you mean headers\?/);
      return true;
    });
    wrong = (_message, next) => next({ encode: () => 'text' as never });
    await assert.rejects(bus.publish('k', 1), /expected encode to give a Buffer/);
    wrong = async (_message, next) => void (await next()) as never;
    await assert.rejects(bus.publish('k', 1), /expected it to return what next\(\) resolves with/);
  });

  test('a body that it compresses is undone by consumers, whatever way the message goes', async (fx) => {
    const seen = fx.recorder(({ attempt }) => {
      if (attempt === 1) throw new Error('once more');
    });
    const stores = memoryStores(fx.harness.clock);
    const bus = fx
      .bus('mailer', { middleware: [gzipped()], stores })
      .handle('k.#', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    await bus.publish('k.one', 'one');
    await bus.send('k.unique', 'unique', { unique: { key: '1' } });
    await bus.publishMany('k.many', ['many 1', 'many 2'], { pack: 5 });
    await bus
      .chain([
        { key: 'k.step', payload: 'step 1' },
        { key: 'k.step', payload: 'step 2' },
      ])
      .dispatch();
    await bus.batch([{ key: 'k.job', payload: 'job' }]).dispatch();
    const all = ['job', 'many 1', 'many 2', 'one', 'step 1', 'step 2', 'unique'];
    await fx.eventually(() =>
      assert.deepEqual(
        seen.calls
          .filter(({ attempt }) => attempt === 2)
          .map(({ payload }) => payload)
          .toSorted(),
        all,
      ),
    );
    for (const { context } of seen.calls) assert.equal(context.contentEncoding, 'gzip');
  });

  test('on the wire it has its encodings in the order in which they were made, the outermost last', async (fx) => {
    const bus = fx.bus('mailer').handle('k', () => {});
    await bus.start();
    await fx.stop(bus);
    const marked = new Audit(() => ({
      encode: (body) => Buffer.concat([Buffer.from('>'), body]),
      contentEncoding: 'marked',
    }));
    await (await fx.publisher({ middleware: [gzipped(), marked] })).publish('k', 1);
    const [message] = await fx.taken(fx.name('mailer'), 1);
    assert.equal(message?.properties.contentEncoding, 'marked, gzip');
    assert.equal(gunzipSync(message?.body ?? '').toString(), '>1');
  });

  test('it compresses before a message is encrypted', async (fx) => {
    const encryption = { keys: staticKeys({ current: 'k1', keys: { k1: randomBytes(32) } }) };
    const seen = fx.recorder();
    const bus = fx
      .bus('mailer', { middleware: [gzipped()], encryption })
      .handle('k', seen.handle, { encrypted: true });
    await bus.start();
    await bus.publish('k', 'secret '.repeat(1_000), { encrypted: true });
    await bus.chain([1, 2].map((payload) => ({ key: 'k', payload, encrypted: true }))).dispatch();
    await fx.eventually(() => assert.deepEqual(seen.payloads.slice(1), [1, 2]));
    const { length } = (seen.at(0).context as HandlerContext).work.received.delivery.body;
    assert.ok(length < 500, `${length} bytes`);
  });

  test('many pass it one by one, in order, and still travel in packs if they are alike', async (fx) => {
    const bus = fx.bus('mailer').handle('k', () => {});
    await bus.start();
    await fx.stop(bus);
    const audit = new Audit(({ payload }) => ({
      headers: { half: Number(payload) < 3 ? 'first' : 'second' },
    }));
    const publisher = await fx.publisher({ middleware: [audit] });
    await publisher.publishMany('k', [0, 1, 2, 3, 4], { pack: 10 });
    assert.deepEqual(audit.payloads, [0, 1, 2, 3, 4]);
    const packs = await fx.taken(fx.name('mailer'), 2);
    assert.deepEqual(
      packs.map(({ body, properties }) => [
        body.toString(),
        properties.headers?.half,
        properties.contentType,
      ]),
      [
        ['0\n1\n2\n', 'first', PACK_CONTENT_TYPE],
        ['3\n4\n', 'second', PACK_CONTENT_TYPE],
      ],
    );
    const ids = packs.flatMap(({ properties: { messageId } }, index) =>
      Array.from({ length: index === 0 ? 3 : 2 }, (_none, position) => `${messageId}.${position}`),
    );
    assert.deepEqual(audit.ends.toSorted(), ids.toSorted());
  });

  test('single publishes that are gathered into packs pass it each, within the call', async (fx) => {
    const gathered = defineMessage<number>('k', undefined, { pack: { max: 3 } });
    const seen = fx.recorder();
    const audit = tenantHeader('acme');
    const bus = fx.bus('mailer', { middleware: [audit] }).handle(gathered, seen.handle);
    await bus.start();
    const results = await Promise.all([1, 2, 3].map((payload) => bus.publish(gathered, payload)));
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
    assert.deepEqual(
      audit.ends.toSorted(),
      results.map(({ messageId }) => messageId),
    );
    for (const { context } of seen.calls) assert.equal(context.headers.tenant, 'acme');
  });

  test('each step of a chain and each job of a batch is a publish; what follows from them is none', async (fx) => {
    const audit = tenantHeader('acme');
    const seen = fx.recorder(({ attempt }) => {
      if (attempt === 1) throw new Error('once more');
    });
    const stores = memoryStores(fx.harness.clock);
    const bus: Bus = fx
      .bus('mailer', { middleware: [audit], stores })
      .handle('#', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    const chain = await bus
      .chain([
        { key: 's.1', payload: 1 },
        { key: 's.2', payload: 2 },
      ])
      .onFailure({ key: 's.failed', payload: 0 })
      .dispatch();
    assert.deepEqual(audit.keys, ['s.1', 's.2', 's.failed']);
    assert.deepEqual(audit.ends, [chain.messageId, chain.messageId, chain.messageId]);
    const jobs = [{ key: 'job', payload: 1 }, [{ key: 'chained', payload: 2 }], { key: 'job', payload: 3 }];
    await bus
      .batch(jobs as never)
      .onEnd({ key: 'ended', payload: 0 })
      .dispatch();
    await fx.eventually(() => {
      const succeeded = seen.calls.filter(({ attempt }) => attempt === 2).map(({ routingKey }) => routingKey);
      assert.deepEqual(succeeded.toSorted(), ['chained', 'ended', 'job', 'job', 's.1', 's.2']);
    });
    assert.deepEqual(audit.keys.slice(3).toSorted(), ['chained', 'job', 'job']);
    const tenants = seen.calls.map(({ routingKey, context }) => `${routingKey} ${context.headers.tenant}`);
    assert.deepEqual([...new Set(tenants)].toSorted(), [
      'chained acme',
      'ended undefined',
      'job acme',
      's.1 acme',
      's.2 acme',
    ]);
  });

  test('a step or a job that it refuses keeps the whole from being sent', async (fx) => {
    const guard: MiddlewareObject = {
      async publish({ payload }, next) {
        if (payload === 'refused') throw new RangeError('not that');
        return next();
      },
    };
    const seen = fx.recorder();
    const stores = memoryStores(fx.harness.clock);
    const bus = fx.bus('mailer', { middleware: [guard], stores }).handle('k', seen.handle);
    await bus.start();
    const both = ['fine', 'refused'].map((payload) => ({ key: 'k', payload }));
    await assert.rejects(bus.chain(both).dispatch(), new RangeError('not that'));
    await assert.rejects(bus.batch(both).dispatch(), new RangeError('not that'));
    await bus.publish('k', 'last');
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['last']));
  });

  test('it wraps what handlers publish with their context, with their headers carried on, and no retry or dead letter', async (fx) => {
    const audit = tenantHeader('acme');
    const seen = fx.recorder();
    const bus = fx
      .bus('mailer', { middleware: [audit] })
      .handle('first', async (_payload, context) => {
        await context.publish('second', 2);
      })
      .handle('second', seen.handle)
      .handle('fails', () => Promise.reject(new Error('no')), { retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    await bus.publish('first', 1, { headers: { traceparent: '00-1' } });
    await bus.publish('fails', 3);
    await fx.deadLetter(fx.name('mailer'));
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    assert.deepEqual(audit.keys.toSorted(), ['fails', 'first', 'second']);
    const second = audit.messages.find(({ routingKey }) => routingKey === 'second');
    assert.equal(second?.headers.traceparent, '00-1');
    assert.equal(seen.at(0).context.headers.traceparent, '00-1');
  });

  test("a handler's own wraps what is published with its context, inside that of the bus", async (fx) => {
    const ofBus = new Audit(() => ({ headers: { by: 'bus', bus: 1 } }));
    const ofHandler = new Audit(() => ({ headers: { by: 'handler' } }));
    const seen = fx.recorder();
    const bus = fx
      .bus('mailer', { middleware: [ofBus] })
      .handle('first', async (_payload, context) => void (await context.publish('second', 2)), {
        middleware: [ofHandler],
      })
      .handle('second', seen.handle);
    await bus.start();
    await bus.publish('first', 1);
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    assert.deepEqual([ofBus.keys, ofHandler.keys], [['first', 'second'], ['second']]);
    assert.equal(ofHandler.messages[0]?.headers.by, 'bus');
    const { by, bus: busHeader } = seen.at(0).context.headers;
    assert.deepEqual({ by, busHeader }, { by: 'handler', busHeader: 1 });
  });

  shopTests(test)("a handler's own wraps what it publishes in its transaction", async (fx, shop) => {
    const [ofBus, ofHandler] = [tenantHeader('acme'), tenantHeader('other')];
    const seen = fx.recorder();
    const bus = shop
      .bus('shop', { middleware: [ofBus] })
      .handle('first', async (_payload, context) => void (await context.publish('second', 2)), {
        inbox: {},
        middleware: [ofHandler],
      })
      .handle('second', seen.handle);
    await bus.start();
    await bus.publish('first', 1);
    await soon(fx, () => assert.equal(seen.calls.length, 1));
    assert.deepEqual([ofBus.keys, ofHandler.keys], [['first', 'second'], ['second']]);
    assert.equal(seen.at(0).context.headers.tenant, 'other');
  });

  shopTests(test)(
    'it wraps what goes into an outbox, in the transaction, and not the relay',
    async (fx, shop) => {
      const seen = fx.recorder();
      const taker = fx.bus('taker').handle('#', seen.handle);
      await taker.start();
      const audit = new Audit(() => ({
        headers: { tenant: 'acme' },
        encode: (body) => gzipSync(body),
        contentEncoding: 'gzip',
      }));
      const bus = shop.bus('shop', { relayOutbox: true, middleware: [audit] });
      await assert.rejects(
        shop.transaction(async (client) => {
          await outbox(bus, client).send('taken.back', 0);
          throw new Error('roll it back');
        }),
        /roll it back/,
      );
      await shop.transaction(async (client) => {
        const through = outbox(bus, client);
        await through.publish('one', 1);
        await through.sendMany('many', [2, 3]);
        await through.chain([4, 5].map((payload) => ({ key: 'step', payload }))).dispatch();
      });
      assert.deepEqual(audit.keys, ['taken.back', 'one', 'many', 'many', 'step', 'step']);
      assert.equal(audit.ends.length, 6);
      await bus.start();
      await fx.eventually(() => assert.deepEqual(seen.payloads.toSorted(), [1, 2, 3, 4, 5]), {
        timeout: 10_000,
      });
      for (const { context } of seen.calls) {
        assert.equal(context.headers.tenant, 'acme');
        assert.equal(context.contentEncoding, 'gzip');
      }
      assert.equal(audit.messages.length, 6);
    },
  );
};
