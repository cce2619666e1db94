import assert from 'node:assert/strict';
import { z } from 'zod';
import { Encryption } from '../../src/encryption/encryption.js';
import { boundToReply } from '../../src/encryption/envelope.js';
import { type BusEvents, defineMessage, type Middleware, staticKeys } from '../../src/index.js';
import { HEADER } from '../../src/message/headers.js';
import type { MessageProperties } from '../../src/message/properties.js';
import { defineRequest } from '../../src/message/requests/define-request.js';
import { encodeChain } from '../../src/message/wire/chain-header.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, watch } from '../support/bus-fixture.js';
import { ack, numbers } from '../support/port.js';
import type { ForeignDelivery } from '../support/transport-harness.js';
import type { Theme } from './theme.js';

const GetQuote = defineRequest('quote.get', {
  request: z.object({ product: z.string(), amount: z.number().default(1) }),
  reply: z.object({ price: z.number() }),
});

/** Plain: nothing checks it. */
const Echo = defineRequest<unknown, unknown>('echo');

/** Asks as any client does: with a queue of its own for the replies. */
class Asker {
  private constructor(private readonly fx: BusFixture) {}

  static async of(fx: BusFixture): Promise<Asker> {
    const port = await fx.port();
    await port.declare({ queues: { replies: {} } });
    return new Asker(fx);
  }

  ask(key: string, payload: unknown, properties: MessageProperties = {}): Promise<void> {
    return this.fx.foreign.publish({
      exchange: this.fx.events,
      routingKey: key,
      body: typeof payload === 'string' ? payload : JSON.stringify(payload),
      properties: { replyTo: this.fx.name('replies'), correlationId: 'c1', ...properties },
    });
  }

  async reply(): Promise<ForeignDelivery> {
    const [reply] = await this.replies(1);
    return reply as ForeignDelivery;
  }

  replies(count: number): Promise<ForeignDelivery[]> {
    return this.fx.taken(this.fx.name('replies'), count);
  }

  /** Error of the next reply. */
  async failure(): Promise<{ code: string; message: string; stack?: string }> {
    const { body, properties } = await this.reply();
    assert.equal(properties.headers[HEADER.reply], 'error');
    return JSON.parse(body.toString());
  }

  async value(): Promise<unknown> {
    const { body, properties } = await this.reply();
    assert.equal(properties.headers[HEADER.reply], undefined, body.toString());
    return JSON.parse(body.toString());
  }
}

const stateOf = async (fx: BusFixture, queue: string) => (await fx.port()).session.inspect(fx.name(queue));

/** Resolves when the transport's clock is that much later. */
async function passed({ harness, eventually }: BusFixture, ms: number): Promise<void> {
  const until = harness.clock.monotonic() + ms;
  await eventually(() => assert.ok(harness.clock.monotonic() >= until));
}

export const replying: Theme = (test) => {
  test('what a responder returns is the reply, with the correlation id of the request, and is not stored', async (fx) => {
    const asker = await Asker.of(fx);
    const payloads: unknown[] = [];
    const bus = fx.bus('shop').reply(GetQuote, (payload) => {
      payloads.push(payload);
      return { price: payload.amount * 3 };
    });
    await bus.start();
    await asker.ask('quote.get', { product: 'tea' }, { correlationId: 'mine' });
    const { body, properties } = await asker.reply();
    assert.deepEqual(JSON.parse(body.toString()), { price: 3 });
    assert.deepEqual(payloads, [{ product: 'tea', amount: 1 }]);
    assert.equal(properties.correlationId, 'mine');
    assert.equal(properties.contentType, 'application/json');
    assert.equal(properties.appId, fx.name('shop'));
    assert.equal(properties.deliveryMode, 1);
    assert.equal(properties.headers[HEADER.reply], undefined);
  });

  test('a responder may return later, and nothing: that is null', async (fx) => {
    const asker = await Asker.of(fx);
    await fx
      .bus('shop')
      .reply(Echo, async () => {})
      .start();
    await asker.ask('echo', 1);
    assert.equal(await asker.value(), null);
  });

  test('a request without a correlation id is answered with its message id, and one with neither with none', async (fx) => {
    const asker = await Asker.of(fx);
    await fx
      .bus('shop')
      .reply(Echo, (payload) => payload)
      .start();
    const replyTo = { replyTo: fx.name('replies') };
    const publish = (properties: MessageProperties) =>
      fx.foreign.publish({ exchange: fx.events, routingKey: 'echo', body: '1', properties });
    await publish({ ...replyTo, messageId: 'm1' });
    assert.equal((await asker.reply()).properties.correlationId, 'm1');
    await publish(replyTo);
    assert.equal((await asker.reply()).properties.correlationId, undefined);
  });

  test('what a responder throws reaches its requester by code and message, once, whatever the retries of the bus are', async (fx) => {
    const asker = await Asker.of(fx);
    let runs = 0;
    const bus = fx.bus('shop', { retry: { tries: 5, backoff: '100ms' } }).reply(Echo, () => {
      runs += 1;
      throw runs === 1
        ? new RangeError('too dear')
        : Object.assign(new Error('sold out'), { code: 'SOLD_OUT' });
    });
    const events = watch(bus, 'handler.failed', 'message.failed', 'message.deadLettered', 'message.retried');
    await bus.start();
    await asker.ask('echo', 1);
    assert.deepEqual(await asker.failure(), { code: 'RangeError', message: 'too dear' });
    // A reply may arrive before its message's end is told.
    await fx.eventually(() => assert.equal(events.length, 2));
    await asker.ask('echo', 2);
    assert.deepEqual(await asker.failure(), { code: 'SOLD_OUT', message: 'sold out' });
    assert.equal(runs, 2);
    await fx.eventually(() =>
      assert.deepEqual(
        events.map(({ name }) => name),
        ['handler.failed', 'message.failed', 'handler.failed', 'message.failed'],
      ),
    );
    const failed = events[1]?.event as BusEvents['message.failed'];
    assert.ok(failed.error instanceof RangeError);
    assert.equal(failed.isAnswered, true);
    assert.equal(failed.tries, 1);
    await fx.eventually(async () => assert.equal((await stateOf(fx, 'shop.requests'))?.ready, 0));
    assert.equal(await stateOf(fx, 'shop.requests.dead'), undefined);
  });

  test('whatever a responder throws, its requester is told, by its code if that can be read, and the next one is answered', async (fx) => {
    const asker = await Asker.of(fx);
    class Unreadable extends Error {
      get code(): string {
        throw new Error('no code for you');
      }
    }
    const thrown: unknown[] = [new Unreadable('odd'), { code: 'SKU', message: 'no sku' }, 'words'];
    const bus = fx.bus('shop').reply(Echo, (payload) => {
      if (thrown.length > 0) throw thrown.shift();
      return payload;
    });
    await bus.start();
    const codes: string[] = [];
    for (const number of numbers(3)) {
      await asker.ask('echo', number);
      codes.push((await asker.failure()).code);
    }
    assert.deepEqual(codes, ['Error', 'SKU', 'Error']);
    await asker.ask('echo', 4);
    assert.equal(await asker.value(), 4);
  });

  test('a request that says of itself that it is handled has no reply that its responder has not given', async (fx) => {
    const asker = await Asker.of(fx);
    let runs = 0;
    const bus = fx.bus('shop').reply(GetQuote, () => {
      runs += 1;
      return { price: 1 };
    });
    await bus.start();
    const chain = { id: 'c', number: 1, rest: [], onFailure: undefined, result: null, failure: undefined };
    const headers = { [HEADER.chain]: encodeChain({ ...chain, finished: true }) };
    await asker.ask('quote.get', { product: 'tea' }, { headers });
    assert.equal((await asker.failure()).code, 'HOPLINE_REQUEST_DROPPED');
    assert.equal(runs, 0);
  });

  test('a stack is shown to requesters only where the responder says so', async (fx) => {
    const asker = await Asker.of(fx);
    const fail = () => {
      throw new Error('broken');
    };
    await fx.bus('shop').reply(Echo, fail, { showStack: true }).start();
    await asker.ask('echo', 1);
    assert.match((await asker.failure()).stack ?? '', /Error: broken\n\s+at /);
  });

  test('a payload that does not fit is answered without a run, and so is a body that can not be read', async (fx) => {
    const asker = await Asker.of(fx);
    let runs = 0;
    const bus = fx.bus('shop').reply(GetQuote, () => {
      runs += 1;
      return { price: 1 };
    });
    const failed = watch(bus, 'message.failed');
    await bus.start();
    await asker.ask('quote.get', { product: 7 });
    assert.equal((await asker.failure()).code, 'HOPLINE_PAYLOAD_INVALID');
    await asker.ask('quote.get', 'no JSON');
    assert.equal((await asker.failure()).code, 'HOPLINE_UNDECODABLE');
    assert.equal(runs, 0);
    assert.equal(failed.length, 2);
  });

  test('a reply that does not fit its definition, or can not be written, is the failure of its responder', async (fx) => {
    const asker = await Asker.of(fx);
    const replies: unknown[] = [{ price: 'dear' }, { price: 1n }];
    const bus = fx.bus('shop').reply(GetQuote, () => replies.shift() as { price: number });
    const failed = watch(bus, 'handler.failed');
    await bus.start();
    await asker.ask('quote.get', { product: 'tea' });
    const { code, message } = await asker.failure();
    assert.equal(code, 'HOPLINE_PAYLOAD_INVALID');
    assert.match(message, /quote\.get \(reply\).*price/);
    await asker.ask('quote.get', { product: 'tea' });
    assert.equal((await asker.failure()).code, 'HOPLINE_PAYLOAD_INVALID');
    assert.equal(failed.length, 2);
  });

  test('a reply over the cap is answered with an error', async (fx) => {
    const asker = await Asker.of(fx);
    await fx
      .bus('shop', { maxBodyBytes: 1_000 })
      .reply(Echo, () => 'x'.repeat(1_000))
      .start();
    await asker.ask('echo', 1);
    assert.equal((await asker.failure()).code, 'HOPLINE_MESSAGE_TOO_LARGE');
  });

  test('a request that its responder discards or fails is answered with an error; one can not come back later', async (fx) => {
    const asker = await Asker.of(fx);
    const bus = fx.bus('shop').reply(Echo, (how, context) => {
      if (how === 'discard') context.discard();
      else if (how === 'fail') context.fail(Object.assign(new Error('no'), { code: 'NO' }));
      else context.release('1s');
      return 'unused';
    });
    await bus.start();
    await asker.ask('echo', '"discard"');
    assert.equal((await asker.failure()).code, 'HOPLINE_REQUEST_DROPPED');
    await asker.ask('echo', '"fail"');
    assert.deepEqual(await asker.failure(), { code: 'NO', message: 'no' });
    await asker.ask('echo', '"release"');
    const { code, message } = await asker.failure();
    assert.equal(code, 'HOPLINE_INVALID_MESSAGE');
    assert.match(message, /can't come back later/);
  });

  test('a responder that runs for longer than its timeout is answered for with an error', async (fx) => {
    const asker = await Asker.of(fx);
    await fx
      .bus('shop', { timeoutGrace: '100ms' })
      .reply(
        Echo,
        (_payload, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('stopped')));
          }),
        { timeout: '200ms' },
      )
      .start();
    await asker.ask('echo', 1);
    assert.equal((await asker.failure()).code, 'HOPLINE_HANDLER_TIMEOUT');
  });

  test('a request that wants no reply is handled, and its failure is told by an event', async (fx) => {
    const payloads: unknown[] = [];
    const bus = fx.bus('shop').reply(Echo, (payload) => {
      payloads.push(payload);
      if (payload === 2) throw new Error('no');
      return 'dropped';
    });
    const failed = watch(bus, 'message.failed');
    await bus.start();
    for (const [payload, replyTo] of [
      [1, undefined],
      [2, undefined],
      [3, ''],
    ] as const)
      await fx.foreign.publish({
        exchange: fx.events,
        routingKey: 'echo',
        body: String(payload),
        properties: replyTo === undefined ? {} : { replyTo },
      });
    await fx.eventually(() => assert.deepEqual(payloads, [1, 2, 3]));
    await fx.eventually(() => assert.equal(failed.length, 1));
    assert.equal((failed[0]?.event as BusEvents['message.failed'] | undefined)?.isAnswered, false);
    await fx.eventually(async () => assert.equal((await stateOf(fx, 'shop.requests'))?.ready, 0));
  });

  test('the reply to a requester that is gone goes nowhere, and the next request is answered', async (fx) => {
    const asker = await Asker.of(fx);
    const bus = fx.bus('shop').reply(Echo, (payload) => payload);
    const done = watch(bus, 'handler.succeeded');
    await bus.start();
    for (const replyTo of [fx.name('nowhere'), 'amq.rabbitmq.reply-to.gone'])
      await asker.ask('echo', 'null', { replyTo });
    await fx.eventually(() => assert.equal(done.length, 2));
    await asker.ask('echo', 5);
    assert.equal(await asker.value(), 5);
  });

  test('the queue of requests goes with its last process, so that a requester learns at once that nobody is there', async (fx) => {
    const asker = await Asker.of(fx);
    const buses = [fx.bus('shop'), fx.bus('shop')].map((bus) => bus.reply(Echo, (payload) => payload));
    for (const bus of buses) await bus.start();
    assert.equal((await stateOf(fx, 'shop.requests'))?.consumers, 2);
    await fx.stop(buses[0] as (typeof buses)[0]);
    await asker.ask('echo', 1);
    assert.equal(await asker.value(), 1);
    await fx.stop(buses[1] as (typeof buses)[0]);
    await fx.eventually(async () => assert.equal(await stateOf(fx, 'shop.requests'), undefined));
    const publisher = await fx.publisher();
    await assert.rejects(publisher.send('echo', 1), { code: 'HOPLINE_UNROUTABLE' });
    await fx
      .bus('shop')
      .reply(Echo, (payload) => payload)
      .start();
    await asker.ask('echo', 2);
    assert.equal(await asker.value(), 2);
  });

  test('a quorum queue of requests is there for some seconds more, and what waits in it is answered by the next process', async (fx) => {
    const asker = await Asker.of(fx);
    const responder = () =>
      fx.bus('shop').reply(Echo, (payload) => payload, { queue: { name: fx.name('asked'), type: 'quorum' } });
    const first = responder();
    await first.start();
    await fx.stop(first);
    await asker.ask('echo', 1);
    await responder().start();
    assert.equal(await asker.value(), 1);
  });

  test('a queue of requests that an operator pauses is not there, and comes back with the requests', async (fx) => {
    const asker = await Asker.of(fx);
    const bus = fx.bus('shop').reply(Echo, (payload) => payload);
    await bus.start();
    const control = await fx.control();
    const queue = fx.name('shop.requests');
    await fx.outcome(control.pause(queue));
    await fx.eventually(async () => assert.equal(await stateOf(fx, 'shop.requests'), undefined));
    await fx.outcome(control.resume(queue));
    await fx.eventually(async () => assert.equal((await stateOf(fx, 'shop.requests'))?.consumers, 1));
    await asker.ask('echo', 1);
    assert.equal(await asker.value(), 1);
  });

  test('what waits in the queue of requests stays there when its consumer changes its window', async (fx) => {
    const asker = await Asker.of(fx);
    const running = deferred<void>();
    const bus = fx.bus('shop', { concurrency: 1 }).reply(Echo, async (payload) => {
      await running.promise;
      return payload;
    });
    await bus.start();
    for (const number of numbers(6)) await asker.ask('echo', number, { correlationId: number });
    await fx.eventually(async () => assert.equal((await stateOf(fx, 'shop.requests'))?.ready, 5));
    const control = await fx.control();
    await fx.outcome(control.scale(fx.name('shop.requests'), 3));
    running.resolve();
    const ids = (await asker.replies(6)).map(({ properties }) => properties.correlationId);
    assert.deepEqual(ids.sort(), numbers(6));
  });

  test('a request that was delivered before, and may have been handled, is answered with an error; a repeatable one is handled again', async (fx) => {
    const asker = await Asker.of(fx);
    const over = deferred<void>();
    for (const repeatable of [false, true]) {
      const request = defineRequest<unknown, unknown>(`ask.${repeatable}`);
      const begun = deferred<void>();
      const hanging = fx.bus('shop').reply(
        request,
        () => {
          begun.resolve();
          return over.promise;
        },
        { repeatable },
      );
      await hanging.start();
      await asker.ask(request.key, 1);
      await fx.outcome(begun.promise);
      const next = fx.bus('shop').reply(request, () => 'again', { repeatable });
      await next.start();
      await assert.rejects(fx.outcome(hanging.stop({ deadline: '200ms' })), {
        code: 'HOPLINE_STOP_DEADLINE',
      });
      if (repeatable) assert.equal(await asker.value(), 'again');
      else assert.equal((await asker.failure()).code, 'HOPLINE_REQUEST_REDELIVERED');
      await fx.stop(next);
    }
    over.resolve();
  });

  test('requests that a process has fetched and not begun go to the others when it stops, as if they had not been there', async (fx) => {
    const asker = await Asker.of(fx);
    const running = deferred<void>();
    const begun = deferred<void>();
    const options = { queue: { concurrency: 1, prefetch: 10 } };
    const first = fx.bus('shop').reply(
      Echo,
      async () => {
        begun.resolve();
        await running.promise;
        return 'first';
      },
      options,
    );
    await first.start();
    for (const number of numbers(4)) await asker.ask('echo', number, { correlationId: number });
    await fx.outcome(begun.promise);
    await fx.eventually(async () => assert.equal((await stateOf(fx, 'shop.requests'))?.ready, 0));
    await fx
      .bus('shop')
      .reply(
        Echo,
        (_payload, { redelivered, routingKey, exchange }) => ({ redelivered, routingKey, exchange }),
        options,
      )
      .start();
    const stopping = first.stop();
    const replies = await asker.replies(3);
    for (const { body, properties } of replies) {
      assert.equal(properties.headers[HEADER.reply], undefined, body.toString());
      assert.deepEqual(JSON.parse(body.toString()), {
        redelivered: false,
        routingKey: 'echo',
        exchange: fx.events,
      });
    }
    running.resolve();
    await fx.outcome(stopping);
    assert.equal(await asker.value(), 'first');
  });

  test('a request that goes back to its queue takes along the time that is left of it, and is not stored', async (fx) => {
    const asker = await Asker.of(fx);
    const running = deferred<void>();
    const first = fx.bus('shop').reply(Echo, () => running.promise, {
      queue: { concurrency: 1, prefetch: 10 },
    });
    await first.start();
    await asker.ask('echo', 1, { expiration: '60000' });
    for (const properties of [{ expiration: '60000' }, {}]) await asker.ask('echo', 2, properties);
    await fx.eventually(async () => assert.equal((await stateOf(fx, 'shop.requests'))?.ready, 0));
    await passed(fx, 300);
    const next = await (await fx.port()).consume('shop.requests', ack);
    const stopping = first.stop();
    await fx.eventually(() => assert.equal(next.deliveries.length, 2));
    const [timed, untimed] = next.deliveries.map(({ properties }) => properties);
    const leftMs = Number(timed?.expiration);
    assert.ok(leftMs > 0 && leftMs <= 59_700, `it has ${timed?.expiration} ms`);
    assert.equal(untimed?.expiration, undefined);
    for (const each of [timed, untimed]) assert.notEqual(each?.deliveryMode, 2);
    running.resolve();
    await fx.outcome(stopping);
  });

  test('a request whose time is over before it can begin is not handled, and told of', async (fx) => {
    const asker = await Asker.of(fx);
    const running = deferred<void>();
    const handled: unknown[] = [];
    const bus = fx.bus('shop').reply(
      Echo,
      async (payload) => {
        handled.push(payload);
        await running.promise;
        return payload;
      },
      { queue: { concurrency: 1, prefetch: 10 } },
    );
    const failed = watch(bus, 'message.failed');
    await bus.start();
    await asker.ask('echo', 1, { expiration: '2000' });
    await fx.eventually(() => assert.deepEqual(handled, [1]));
    for (const number of [2, 3]) await asker.ask('echo', number, { expiration: '2000' });
    await asker.ask('echo', 4, { expiration: '60000' });
    await fx.eventually(async () => assert.equal((await stateOf(fx, 'shop.requests'))?.ready, 0));
    await passed(fx, 2_100);
    running.resolve();
    const replies = await asker.replies(2);
    assert.deepEqual(
      replies.map(({ body }) => body.toString()),
      ['1', '4'],
    );
    assert.deepEqual(handled, [1, 4]);
    const told = failed.map(({ event }) => event as BusEvents['message.failed']);
    assert.deepEqual(
      told.map(({ error, isAnswered }) => [(error as { code?: string }).code, isAnswered]),
      [
        ['HOPLINE_REQUEST_DROPPED', false],
        ['HOPLINE_REQUEST_DROPPED', false],
      ],
    );
  });

  test('a requester whose queue refuses the reply keeps nobody else from theirs', async (fx) => {
    const asker = await Asker.of(fx);
    const port = await fx.port();
    const full = { 'x-queue-type': 'classic', 'x-max-length': 1, 'x-overflow': 'reject-publish' } as const;
    await port.declare({ queues: { full } });
    const handled: unknown[] = [];
    const bus = fx.bus('shop').reply(Echo, (payload) => {
      handled.push(payload);
      if (payload === 3) throw new Error('no');
      return payload;
    });
    await bus.start();
    for (const number of [1, 2, 3]) await asker.ask('echo', number, { replyTo: fx.name('full') });
    await fx.eventually(() => assert.equal(handled.length, 3));
    await asker.ask('echo', 4);
    assert.equal(await asker.value(), 4);
    const refused = () => fx.log.filter(({ message }) => /refuses it: the reply is dropped/.test(message));
    await fx.eventually(() => assert.equal(refused().length, 2));
    assert.equal((await port.session.inspect(fx.name('full')))?.ready, 1);
  });

  test('requests that the last process has fetched and not begun are answered with an error when it stops', async (fx) => {
    const asker = await Asker.of(fx);
    const running = deferred<void>();
    const begun = deferred<void>();
    const bus = fx.bus('shop').reply(
      Echo,
      async () => {
        begun.resolve();
        await running.promise;
        return 'done';
      },
      { queue: { concurrency: 1, prefetch: 10 } },
    );
    await bus.start();
    for (const number of numbers(3)) await asker.ask('echo', number, { correlationId: number });
    await fx.outcome(begun.promise);
    await fx.eventually(async () => assert.equal((await stateOf(fx, 'shop.requests'))?.ready, 0));
    const stopping = bus.stop();
    const refused = await asker.replies(2);
    for (const { body } of refused) assert.equal(JSON.parse(body.toString()).code, 'HOPLINE_SHUTDOWN');
    running.resolve();
    await fx.outcome(stopping);
    assert.equal(await asker.value(), 'done');
  });

  test('a responder that is told to stop, and does, has its request answered with an error', async (fx) => {
    const asker = await Asker.of(fx);
    const begun = deferred<void>();
    const bus = fx.bus('shop').reply(Echo, (_payload, { signal }) => {
      begun.resolve();
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    });
    await bus.start();
    await asker.ask('echo', 1);
    await fx.outcome(begun.promise);
    await fx.outcome(bus.stop({ cancel: true }));
    assert.equal((await asker.failure()).code, 'HOPLINE_SHUTDOWN');
  });

  test('middleware around a responder may change its reply, and one that returns nothing does not take it', async (fx) => {
    const asker = await Asker.of(fx);
    const silent: Middleware = async (_payload, _context, next) => {
      await next();
    };
    const doubling: Middleware = async (_payload, _context, next) => Number(await next()) * 2;
    await fx
      .bus('shop', { middleware: [silent] })
      .reply(Echo, () => 21, { middleware: [doubling] })
      .start();
    await asker.ask('echo', 1);
    assert.equal(await asker.value(), 42);
  });

  test("a responder's context has the correlation id of the flow, and carries it on", async (fx) => {
    const asker = await Asker.of(fx);
    const seen: unknown[] = [];
    const bus = fx
      .bus('shop')
      .reply(Echo, async (_payload, context) => {
        await context.publish('asked', 1);
        return context.correlationId;
      })
      .handle('asked', (_payload, { correlationId }) => void seen.push(correlationId));
    await bus.start();
    await asker.ask('echo', 1, { correlationId: 'r1', headers: { [HEADER.correlationId]: 'order-7' } });
    const { body, properties } = await asker.reply();
    assert.equal(JSON.parse(body.toString()), 'order-7');
    assert.equal(properties.correlationId, 'r1');
    await fx.eventually(() => assert.deepEqual(seen, ['order-7']));
  });

  test('the reply to an encrypted request is encrypted, and bound to it', async (fx) => {
    const asker = await Asker.of(fx);
    const keys = staticKeys({ keys: { k1: Buffer.alloc(32, 7).toString('base64') }, current: 'k1' });
    const encryption = { keys };
    const bus = fx.bus('shop', { encryption }).reply(Echo, (payload) => ({ answer: payload }));
    await bus.start();
    await bus.publish('echo', 'secret', {
      encrypted: true,
      messageId: 'm1',
      correlationId: 'm1',
      replyTo: fx.name('replies'),
    });
    const { body, properties } = await asker.reply();
    assert.doesNotMatch(body.toString(), /secret/);
    const opened = await new Encryption(keys, fx.harness.clock).open(
      body,
      properties.headers[HEADER.encrypted],
      boundToReply('m1', 'echo'),
    );
    assert.deepEqual(JSON.parse(opened.body.toString()), { answer: 'secret' });
  });

  test('requests and messages of one class name wait in queues of their own, and both are described', async (fx) => {
    const bus = fx
      .bus('shop')
      .reply(Echo, (payload) => payload)
      .handle(defineMessage('order.placed'), () => {});
    const queues = bus.describe().queues.map(({ name, kind, type }) => [name, kind, type]);
    assert.deepEqual(queues, [
      [fx.name('shop.requests'), 'requests', 'classic'],
      [fx.name('shop'), 'work', 'quorum'],
    ]);
    await bus.start();
    assert.equal((await stateOf(fx, 'shop.requests'))?.consumers, 1);
    assert.equal((await stateOf(fx, 'shop'))?.consumers, 1);
  });

  test('a responder declares its queue itself where all else is only checked', async (fx) => {
    const asker = await Asker.of(fx);
    await fx.publisher();
    for (const topology of ['verify', 'none'] as const) {
      const bus = fx.bus('shop', { topology }).reply(Echo, (payload) => payload);
      await bus.start();
      await asker.ask('echo', topology === 'verify' ? 1 : 2);
      assert.equal(await asker.value(), topology === 'verify' ? 1 : 2);
      await fx.stop(bus);
    }
  });
};
