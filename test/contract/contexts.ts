import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { z } from 'zod';
import { defineMessage, type MessageContext } from '../../src/index.js';
import { HEADER } from '../../src/message/headers.js';
import { pause } from '../../src/util/clock.js';
import type { BusFixture } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

/** What tracers, loggers and services keep for the message at hand. */
const store = new AsyncLocalStorage<string | undefined>();

/** As a tracer that is laid over the client library: each delivery is handed on in a context of its own. */
function traceDeliveries(fx: BusFixture): void {
  fx.trace.around = ({ properties }, deliver) => store.run(properties.messageId, deliver);
}

/** In whose context each call of a handler began, and ended, after something was awaited. */
class Seen {
  readonly calls: { readonly id: string | undefined; readonly in: string | undefined }[] = [];
  readonly strangers: string[] = [];

  constructor(private readonly fx: BusFixture) {}

  readonly handle = async (_payload: unknown, { messageId }: Pick<MessageContext, 'messageId'>) => {
    this.note(messageId);
    await pause(this.fx.harness.clock, 20);
    if (store.getStore() !== messageId) this.strangers.push(`${messageId} ended in ${store.getStore()}`);
  };

  note(id: string | undefined): void {
    this.calls.push({ id, in: store.getStore() });
    if (store.getStore() !== id) this.strangers.push(`${id} began in ${store.getStore()}`);
  }
}

export const contexts: Theme = (test) => {
  test('a handler runs in the context in which its message was delivered, also when that had to wait for room', async (fx) => {
    traceDeliveries(fx);
    const seen = new Seen(fx);
    // More of them are here than may run.
    const bus = fx.bus('mailer', { concurrency: 2 }).handle('k', seen.handle, { queue: { prefetch: 20 } });
    await bus.start();
    await Promise.all(numbers(30).map((number) => bus.publish('k', number, { messageId: `m${number}` })));
    await fx.eventually(() => assert.equal(seen.calls.length, 30));
    await fx.stop(bus);
    assert.deepEqual(seen.strangers, []);
  });

  test('what a handler enters for good reaches no other message, whether it returns at once or later', async (fx) => {
    for (const isAsync of [false, true]) {
      const begunIn: (string | undefined)[] = [];
      const enter = (payload: unknown) => {
        begunIn.push(store.getStore());
        store.enterWith(`tenant of ${payload}`);
        return isAsync ? pause(fx.harness.clock, 5) : undefined;
      };
      const name = isAsync ? 'later' : 'at-once';
      const bus = fx.bus(name, { concurrency: 2 }).handle(name, enter, { queue: { prefetch: 20 } });
      await bus.start();
      await Promise.all(numbers(30).map((number) => bus.publish(name, number)));
      await fx.eventually(() => assert.equal(begunIn.length, 30));
      await fx.stop(bus);
      assert.deepEqual(new Set(begunIn), new Set([undefined]), name);
    }
  });

  test('nor a later attempt at the same one, at once or by delay, nor its failed()', async (fx) => {
    traceDeliveries(fx);
    const calls: string[] = [];
    const enter = (what: string) => {
      calls.push(`${what} in ${store.getStore()}`);
      store.enterWith('a tenant');
      throw new Error('away');
    };
    const bus = fx.bus('mailer').handle('k', (_payload, { attempt }) => enter(`attempt ${attempt}`), {
      retry: { tries: 3, backoff: [0, '100ms'] },
      failed: () => {
        calls.push(`failed() in ${store.getStore()}`);
      },
    });
    await bus.start();
    await bus.publish('k', 1, { messageId: 'm' });
    await fx.deadLetter(fx.name('mailer'));
    assert.deepEqual(calls, ['attempt 1 in m', 'attempt 2 in m', 'attempt 3 in m', 'failed() in m']);
  });

  test('a bus that is started in somebody’s context runs no handler in it, and none in that of a publish', async (fx) => {
    const begunIn: (string | undefined)[] = [];
    let failures = 0;
    const bus = fx.bus('mailer', { concurrency: 2 }).handle(
      'k',
      async () => {
        begunIn.push(store.getStore());
        await pause(fx.harness.clock, 5);
        failures += 1;
        if (failures <= 3) throw new Error('again');
      },
      { retry: { tries: 5, backoff: '100ms' }, queue: { prefetch: 10 } },
    );
    await store.run('boot', () => bus.start());
    await store.run('request', () => Promise.all(numbers(20).map((number) => bus.publish('k', number))));
    await fx.eventually(() => assert.equal(begunIn.length, 23));
    assert.deepEqual(new Set(begunIn), new Set([undefined]));
  });

  test('handlers are made in the context of who starts the bus: they are the service’s own code', async (fx) => {
    let madeIn: string | undefined;
    const prepare = async () => {
      madeIn = store.getStore();
    };
    const made = { name: 'Made', patterns: ['k'], queue: {}, options: {}, handle: () => {}, prepare };
    const bus = fx.bus('mailer', { handlers: [made] });
    await store.run('boot', () => bus.start());
    assert.equal(madeIn, 'boot');
  });

  test('the messages of a pack share its context, and what one of them enters reaches no other', async (fx) => {
    traceDeliveries(fx);
    const begunIn: (string | undefined)[] = [];
    const ids: (string | undefined)[] = [];
    const bus = fx.bus('mailer', { concurrency: 2 }).handle(
      'k',
      async (_payload, { messageId }) => {
        begunIn.push(store.getStore());
        ids.push(messageId);
        store.enterWith('a tenant');
        await pause(fx.harness.clock, 5);
      },
      { queue: { prefetch: 20 } },
    );
    await bus.start();
    await bus.publishMany('k', numbers(9), { pack: 9 });
    await fx.eventually(() => assert.equal(begunIn.length, 9));
    const [pack] = begunIn;
    assert.ok(pack !== undefined && ids.every((id) => id?.startsWith(pack)), `${ids} in ${begunIn}`);
    assert.deepEqual(new Set(begunIn), new Set([pack]));
  });

  test('a pack is published in the context of its first message, whoever fills it', async (fx) => {
    const publishedIn: (string | undefined)[] = [];
    fx.trace.onPublish = () => publishedIn.push(store.getStore());
    const packed = defineMessage('k', z.number(), { pack: { max: 3, within: '100ms' } });
    const bus = fx.bus('mailer').handle(packed, () => {});
    await bus.start();
    const all = ['a', 'b', 'c', 'd', 'e'].map((name, number) =>
      store.run(name, () => bus.publish(packed, number)),
    );
    await fx.outcome(Promise.all(all));
    assert.deepEqual(publishedIn, ['a', 'd']);
  });

  test('a handler of many is called in the context of the first of them, whether they are full or their time is over', async (fx) => {
    traceDeliveries(fx);
    const calls: { readonly in: string | undefined; readonly ids: (string | undefined)[] }[] = [];
    const bus = fx.bus('mailer', { concurrency: 6 }).handle(
      'k',
      (_payloads: number[], all: MessageContext[]) => {
        calls.push({ in: store.getStore(), ids: all.map(({ messageId }) => messageId) });
        store.enterWith('a tenant');
      },
      { bulk: { max: 3, within: '200ms' }, queue: { prefetch: 20 } },
    );
    await bus.start();
    for (const number of numbers(8)) await bus.publish('k', number, { messageId: `m${number}` });
    await fx.eventually(() => assert.equal(calls.flatMap(({ ids }) => ids).length, 8));
    for (const call of calls) assert.equal(call.in, call.ids[0]);
  });

  test('what travels on is published in the context of its message: a retry, a dead letter, and what a handler sends', async (fx) => {
    traceDeliveries(fx);
    const strangers: string[] = [];
    const kinds = new Set<string>();
    fx.trace.onPublish = ({ properties: { headers = {}, messageId }, ...message }) => {
      const isCopy = headers[HEADER.attempt] !== undefined;
      const own = isCopy ? messageId : headers.from;
      if (own === undefined) return;
      kinds.add(isCopy ? (headers[HEADER.failedAt] ? 'dead letter' : 'retry') : 'sent');
      if (store.getStore() !== own) strangers.push(`${message.to} of ${own} in ${store.getStore()}`);
    };
    const bus = fx
      .bus('mailer', { concurrency: 2 })
      .handle(
        'k',
        async (_payload, context) => {
          store.enterWith('a tenant');
          await pause(fx.harness.clock, 5);
          const headers = { from: String(context.messageId) };
          await store.run(String(context.messageId), () => context.publish('next', 1, { headers }));
          throw new Error('away');
        },
        { retry: { tries: 2, backoff: '100ms' }, queue: { prefetch: 20 } },
      )
      .handle('next', () => {}, { queue: { name: fx.name('next') } });
    await bus.start();
    await Promise.all(numbers(10).map((number) => bus.publish('k', number, { messageId: `m${number}` })));
    await fx.deadLetters(fx.name('mailer'), 10);
    assert.deepEqual(strangers, []);
    assert.deepEqual([...kinds].toSorted(), ['dead letter', 'retry', 'sent']);
  });
};
