import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { Encryption } from '../../src/encryption/encryption.js';
import { boundToReply } from '../../src/encryption/envelope.js';
import {
  type BusEvents,
  defineMessage,
  defineRequest,
  InvalidMessageError,
  type MessageContext,
  NoResponderError,
  NotStartedError,
  OptionsError,
  PayloadInvalidError,
  type PublishRequest,
  type RequestOptions,
  RequestTimeoutError,
  ResponderError,
  StoppedError,
  staticKeys,
  UndecodableError,
} from '../../src/index.js';
import { HEADER } from '../../src/message/headers.js';
import { deferred } from '../../src/util/deferred.js';
import { watch, wireHeaders } from '../support/bus-fixture.js';
import { responder } from '../support/responder.js';
import type { Theme } from './theme.js';

const GetQuote = defineRequest('quote.get', {
  request: z.object({ sku: z.string() }),
  reply: z.object({ cents: z.number(), currency: z.string().default('EUR') }),
});

export const requesting: Theme = (test) => {
  test('a request is replied to, and the reply is what its schema makes of it', async (fx) => {
    const asked: unknown[] = [];
    await responder(fx, 'quote.get', (payload, say) => {
      asked.push(payload);
      return say.value({ cents: 250 });
    });
    const bus = await fx.publisher();
    const quote = await bus.request(GetQuote, { sku: 'tea' });
    assert.deepEqual(quote, { cents: 250, currency: 'EUR' });
    assert.deepEqual(asked, [{ sku: 'tea' }]);
  });

  test('a request is not stored, says until when it counts, and is found by its own id', async (fx) => {
    let seen: MessageContext | undefined;
    await responder(fx, 'quote.get', (_payload, say, context) => {
      seen = context;
      return say.value({ cents: 1 });
    });
    const bus = await fx.publisher();
    await bus.request(
      GetQuote,
      { sku: 'tea' },
      { timeout: '20s', headers: { tenant: 'acme' }, correlationId: 'order-7' },
    );
    assert.ok(seen);
    const { work } = seen as unknown as {
      work: { received: { delivery: { properties: Record<string, unknown> } } };
    };
    const { deliveryMode, correlationId, messageId, expiration } = work.received.delivery.properties;
    assert.equal(deliveryMode, 1);
    assert.equal(correlationId, messageId);
    const leftMs = Number(expiration);
    assert.ok(leftMs > 10_000 && leftMs <= 20_000, `it counts for ${leftMs} ms`);
    assert.deepEqual({ ...seen.headers }, { tenant: 'acme' });
    assert.equal(wireHeaders(seen)[HEADER.correlationId], 'order-7');
  });

  test('many requests at once each get their own reply', async (fx) => {
    await responder(fx, 'quote.get', (payload, say) =>
      say.value({ cents: Number((payload as { sku: string }).sku) }),
    );
    const bus = await fx.publisher();
    const all = Array.from({ length: 500 }, (_, index) => index);
    const quotes = await Promise.all(all.map((index) => bus.request(GetQuote, { sku: `${index}` })));
    assert.deepEqual(
      quotes.map(({ cents }) => cents),
      all,
    );
  });

  test('a failure of the responder comes with its code, its message and its service', async (fx) => {
    await responder(fx, 'quote.get', (_payload, say) => say.failure('SKU_UNKNOWN', "no article 'tea'"));
    const bus = await fx.publisher();
    const failed = watch(bus, 'request.failed');
    await assert.rejects(bus.request(GetQuote, { sku: 'tea' }), (error) => {
      assert.ok(error instanceof ResponderError);
      assert.deepEqual(error.remote, {
        ...{ code: 'SKU_UNKNOWN', message: "no article 'tea'", stack: undefined, service: 'quotes' },
      });
      assert.match(error.message, /'quote.get' failed: SKU_UNKNOWN: no article 'tea'/);
      return true;
    });
    await fx.eventually(() => assert.equal(failed.length, 1));
  });

  test('a request that nobody takes fails at once', async (fx) => {
    const bus = await fx.publisher();
    const startedAt = fx.harness.clock.monotonic();
    await assert.rejects(bus.request(GetQuote, { sku: 'tea' }), (error) => {
      assert.ok(error instanceof NoResponderError);
      assert.deepEqual([error.exchange, error.routingKey], [fx.events, 'quote.get']);
      return true;
    });
    assert.ok(fx.harness.clock.monotonic() - startedAt < 5_000, 'it waited for its timeout');
  });

  test('without a reply in time a request ends, and a late reply is dropped and told of', async (fx) => {
    const gate = deferred();
    await responder(fx, 'quote.get', async (_payload, say) => {
      await gate.promise;
      await say.value({ cents: 1 });
    });
    const bus = await fx.publisher();
    const dropped = watch(bus, 'reply.dropped');
    const failed = watch(bus, 'request.failed');
    await assert.rejects(fx.outcome(bus.request(GetQuote, { sku: 'tea' }, { timeout: '300ms' })), (error) => {
      assert.ok(error instanceof RequestTimeoutError);
      assert.deepEqual([error.routingKey, error.timeoutMs, error.wasSent], ['quote.get', 300, true]);
      assert.equal(error.message, "no reply to 'quote.get' within 300 ms");
      return true;
    });
    assert.equal(dropped.length, 0);
    gate.resolve();
    await fx.eventually(() => assert.equal(dropped.length, 1));
    const [late] = dropped.map(({ event }) => event as BusEvents['reply.dropped']);
    const [ended] = failed.map(({ event }) => event as BusEvents['request.failed']);
    assert.ok(late && ended);
    assert.deepEqual([late.requestId, late.from], [ended.messageId, 'quotes']);
  });

  test('the events of requests name them, and say how long they took', async (fx) => {
    await responder(fx, 'quote.get', (_payload, say) => say.value({ cents: 1 }));
    const bus = await fx.publisher();
    const seen = watch(bus, 'request.replied', 'message.published', 'message.confirmed');
    await bus.request(GetQuote, { sku: 'tea' });
    await fx.eventually(() => assert.equal(seen.length, 1));
    const [{ name, event }] = seen as [(typeof seen)[number]];
    const { exchange, routingKey, durationMs } = event as BusEvents['request.replied'];
    assert.deepEqual([name, exchange, routingKey], ['request.replied', fx.events, 'quote.get']);
    assert.ok(durationMs >= 0);
  });

  test('a signal ends the waiting with its reason, and one that has fired sends nothing', async (fx) => {
    const gate = deferred();
    const asked: unknown[] = [];
    await responder(fx, 'quote.get', async (payload) => {
      asked.push(payload);
      await gate.promise;
    });
    const bus = await fx.publisher();
    const caller = new AbortController();
    const asking = bus.request(GetQuote, { sku: 'tea' }, { signal: caller.signal });
    asking.catch(() => {});
    await fx.eventually(() => assert.equal(asked.length, 1));
    const reason = new Error('the browser is gone');
    caller.abort(reason);
    await assert.rejects(asking, (error) => error === reason);
    await assert.rejects(
      bus.request(GetQuote, { sku: 'coffee' }, { signal: caller.signal }),
      (error) => error === reason,
    );
    gate.resolve();
    await fx.eventually(() => assert.equal(asked.length, 1));
  });

  test('one signal for many requests ends them all, makes Node.js warn of no leak, and keeps nothing of those that ended', async (fx) => {
    const gate = deferred();
    await responder(fx, 'quote.get', async (_payload, say) => {
      await gate.promise;
      await say.value({ cents: 1 });
    });
    const bus = await fx.publisher();
    const warnings: string[] = [];
    const warned = ({ name }: Error) => void warnings.push(name);
    process.on('warning', warned);
    try {
      const caller = new AbortController();
      const ask = (sku: string) => bus.request(GetQuote, { sku }, { signal: caller.signal });
      const first = Array.from({ length: 30 }, () => ask('tea'));
      gate.resolve();
      await Promise.all(first);
      assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
      const reason = new Error('the browser is gone');
      const second = Array.from({ length: 30 }, () =>
        assert.rejects(ask('tea'), (error) => error === reason),
      );
      assert.equal(getEventListeners(caller.signal, 'abort').length, 1);
      caller.abort(reason);
      await Promise.all(second);
      assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
      assert.deepEqual(warnings, []);
    } finally {
      process.off('warning', warned);
    }
  });

  test('wrong options are refused in a handler as by the bus, and by a rejection', async (fx) => {
    const refused: unknown[] = [];
    const bus = fx.bus('orders').handle('order.placed', async (_payload, context) => {
      for (const options of [
        null,
        'abc',
        { headers: null },
        { headers: 'abc' },
      ] as unknown as RequestOptions[])
        for (const asking of [
          context.request(GetQuote, { sku: 'tea' }, options),
          context.requestMany(GetQuote, { sku: 'tea' }, options),
        ])
          refused.push(
            await Promise.resolve(asking).then(
              () => 'replied',
              (error) => error.constructor,
            ),
          );
    });
    await bus.start();
    await bus.publish('order.placed', {});
    await fx.eventually(() => assert.deepEqual(refused, Array(8).fill(OptionsError)));
  });

  test('what is asked is validated before anything is sent, and what is replied before it is handed out', async (fx) => {
    const asked: unknown[] = [];
    await responder(fx, 'quote.get', (payload, say) => {
      asked.push(payload);
      const { sku } = payload as { sku: string };
      return sku === 'broken'
        ? say.bytes('{', { contentType: 'application/json' })
        : say.value({ cents: '1' });
    });
    const bus = await fx.publisher();
    const wrong = { sku: 5 } as unknown as { sku: string };
    await assert.rejects(bus.request(GetQuote, wrong), (error) => {
      assert.ok(error instanceof PayloadInvalidError);
      assert.equal(error.definition, 'quote.get');
      return true;
    });
    await assert.rejects(bus.request(GetQuote, { sku: 'tea' }), (error) => {
      assert.ok(error instanceof PayloadInvalidError);
      assert.equal(error.definition, 'quote.get (reply)');
      assert.deepEqual(
        error.issues.map(({ path }) => path),
        ['cents'],
      );
      return true;
    });
    await assert.rejects(bus.request(GetQuote, { sku: 'broken' }), UndecodableError);
    assert.deepEqual(asked, [{ sku: 'tea' }, { sku: 'broken' }]);
  });

  test('an empty reply of another client is null, like that of a responder that returns nothing', async (fx) => {
    await responder(fx, 'nothing.get', (_payload, _say, { replyTo, messageId }) =>
      fx.foreign.publish({
        ...{ exchange: '', routingKey: replyTo as string, body: '' },
        properties: { correlationId: messageId as string },
      }),
    );
    const bus = await fx.publisher();
    assert.equal(await bus.request(defineRequest<string, null>('nothing.get'), 'plain'), null);
  });

  test('a responder of any client is understood: plain JSON, compressed or not, without a word of ours', async (fx) => {
    await responder(fx, 'plain.get', (payload, _say, { replyTo, messageId }) => {
      const json = JSON.stringify({ of: payload });
      const isPlain = payload === 'plain';
      return fx.foreign.publish({
        ...{ exchange: '', routingKey: replyTo as string },
        body: isPlain ? json : gzipSync(json),
        properties: {
          correlationId: messageId as string,
          ...(isPlain ? {} : { contentEncoding: 'gzip', contentType: 'application/json' }),
        },
      });
    });
    const bus = await fx.publisher();
    const Plain = defineRequest<string, { of: string }>('plain.get');
    assert.deepEqual(await bus.request(Plain, 'plain'), { of: 'plain' });
    assert.deepEqual(await bus.request(Plain, 'gzip'), { of: 'gzip' });
  });

  test('a request leaves by the exchange that it names, which is declared at its first use', async (fx) => {
    const exchange = fx.name('quotes.exchange');
    const bus = await fx.publisher();
    await assert.rejects(bus.request(GetQuote, { sku: 'tea' }, { exchange }), NoResponderError);
    const asked = fx.recorder();
    const other = fx.bus('quotes').handle('quote.get', asked.handle, { exchange });
    await other.start();
    const asking = bus.request(GetQuote, { sku: 'tea' }, { exchange, timeout: '1s' });
    await assert.rejects(fx.outcome(asking), RequestTimeoutError);
    assert.equal(asked.calls.length, 1);
  });

  test('what a handler asks carries on its correlation, and its reply comes while the bus stops', async (fx) => {
    const [asking, gate] = [deferred(), deferred()];
    let seen: MessageContext | undefined;
    await responder(fx, 'quote.get', async (_payload, say, context) => {
      seen = context;
      asking.resolve();
      await gate.promise;
      await say.value({ cents: 3 });
    });
    const got: unknown[] = [];
    const bus = fx.bus('orders').handle('order.placed', async (_payload, context) => {
      got.push(await context.request(GetQuote, { sku: 'tea' }));
      const StillThere = defineRequest<null, number>('nobody.there');
      await assert.rejects(context.request(StillThere, null), NoResponderError);
    });
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.publish(
      'order.placed',
      {},
      { correlationId: 'order-7', headers: { traceparent: '00-1-2-01' } },
    );
    await asking.promise;
    const stopping = fx.stop(bus);
    gate.resolve();
    await stopping;
    assert.deepEqual(got, [{ cents: 3, currency: 'EUR' }]);
    assert.equal(succeeded.length, 1);
    const headers = wireHeaders(seen as unknown as MessageContext);
    assert.deepEqual([headers[HEADER.correlationId], headers.traceparent], ['order-7', '00-1-2-01']);
  });

  test('a stop ends the requests that wait, and none outlives it', async (fx) => {
    const gate = deferred();
    const asked = deferred();
    await responder(fx, 'quote.get', async () => {
      asked.resolve();
      await gate.promise;
    });
    const bus = await fx.publisher();
    const waiting = [
      bus.request(GetQuote, { sku: 'tea' }, { repeatable: true }),
      bus.requestMany(GetQuote, { sku: 'tea' }),
    ];
    const ends = waiting.map((each) =>
      (each as Promise<unknown>).then(
        () => 'replied',
        (error) => error.constructor,
      ),
    );
    await asked.promise;
    await fx.stop(bus);
    assert.deepEqual(await Promise.all(ends), [StoppedError, StoppedError]);
    await assert.rejects(bus.request(GetQuote, { sku: 'tea' }), StoppedError);
    await assert.rejects(fx.bus('new').request(GetQuote, { sku: 'tea' }), NotStartedError);
    gate.resolve();
  });

  test('publish middleware is around a request until its end, and sees what becomes of it', async (fx) => {
    await responder(fx, 'quote.get', (payload, say) =>
      (payload as { sku: string }).sku === 'tea!' ? say.value({ cents: 1 }) : say.failure('Nope', 'no'),
    );
    const seen: PublishRequest[] = [];
    const ends: unknown[] = [];
    const bus = await fx.publisher({
      middleware: [
        {
          async publish(message, next) {
            seen.push(message);
            const { sku } = message.payload as { sku: string };
            if (sku === 'stopped') return { messageId: 'none', confirmed: true, dueAt: undefined };
            try {
              const published = await next({ payload: { sku: `${sku}!` } });
              ends.push(published.messageId);
              return published;
            } catch (error) {
              ends.push((error as Error).name);
              throw error;
            }
          },
        },
      ],
    });
    await bus.request(GetQuote, { sku: 'tea' });
    await assert.rejects(bus.request(GetQuote, { sku: 'coffee' }), ResponderError);
    await fx.eventually(() => assert.deepEqual(ends, [seen[0]?.messageId, 'ResponderError']));
    assert.deepEqual([seen[0]?.intent, seen[0]?.definition], ['request', GetQuote]);
    await assert.rejects(bus.request(GetQuote, { sku: 'stopped' }), (error) => {
      assert.ok(error instanceof InvalidMessageError);
      assert.match(error.message, /has not let the request 'quote.get' go on/);
      return true;
    });
  });

  test('a middleware that holds a request back does not hold its timeout up, and it is not sent then', async (fx) => {
    const asked = fx.recorder();
    await fx.bus('quotes').handle('quote.get', asked.handle).start();
    const gate = deferred();
    const ends: unknown[] = [];
    const bus = await fx.publisher({
      middleware: [
        {
          async publish(_message, next) {
            await gate.promise;
            return next().catch((error) => {
              ends.push(error);
              throw error;
            });
          },
        },
      ],
    });
    let end: unknown;
    await assert.rejects(fx.outcome(bus.request(GetQuote, { sku: 'tea' }, { timeout: '200ms' })), (error) => {
      assert.ok(error instanceof RequestTimeoutError);
      assert.equal(error.wasSent, false);
      assert.match(error.message, /it was not sent: its payload, key or middleware was waited for/);
      end = error;
      return true;
    });
    gate.resolve();
    await fx.eventually(() => assert.deepEqual(ends, [end]));
    assert.equal(asked.calls.length, 0);
  });

  test('requests and messages are told apart: each is refused where the other is meant', async (fx) => {
    const bus = await fx.publisher();
    const publishing = [
      () => bus.publish(GetQuote, { sku: 'tea' }),
      () => bus.send(GetQuote, { sku: 'tea' }),
      () => bus.publishMany(GetQuote, [{ sku: 'tea' }]),
      () => bus.chain([{ definition: GetQuote, payload: { sku: 'tea' } }]).dispatch(),
    ];
    for (const publish of publishing)
      await assert.rejects(publish(), (error) => {
        assert.ok(error instanceof OptionsError);
        assert.match(error.message, /got the request 'quote.get': ask it with request\(\)/);
        return true;
      });
    const Placed = defineMessage('order.placed', z.object({}));
    for (const [given, got] of [
      [Placed, "the definition 'order.placed' of a message"],
      ['quote.get', '"quote.get"'],
      [null, 'null'],
    ] as const)
      await assert.rejects(bus.request(given as unknown as typeof GetQuote, { sku: '' }), (error) => {
        assert.ok(error instanceof OptionsError);
        assert.ok(error.message.includes(`expected what defineRequest returns, got ${got}`), error.message);
        return true;
      });
  });

  test('wrong options of a request are refused, all at once', async (fx) => {
    const bus = await fx.publisher();
    const options = {
      timeout: '2d',
      repeatable: 1,
      tries: 3,
      signal: { aborted: false, addEventListener: () => {} },
      count: 1,
    } as unknown as RequestOptions;
    await assert.rejects(bus.request(GetQuote, { sku: 'tea' }, options), (error) => {
      assert.ok(error instanceof OptionsError);
      assert.deepEqual(error.problems, [
        'unknown option tries',
        'unknown option count',
        'expected timeout to be a duration of 1 ms to 1d, got "2d"',
        'expected repeatable to be true or false, got 1',
        'expected signal to be an AbortSignal, got an object (Object)',
      ]);
      return true;
    });
  });

  test('an encrypted reply is read with the key, one to another request is not, and a plain one is refused', async (fx) => {
    const keys = staticKeys({ current: 'k1', keys: { k1: randomBytes(32) } });
    const encryption = new Encryption(keys, fx.harness.clock);
    const GetSalary = defineRequest('salary.get', { reply: z.number(), encrypted: true });
    const sealed = (value: unknown, id: string) =>
      encryption.seal(Buffer.from(JSON.stringify(value)), 'application/json', boundToReply(id, 'salary.get'));
    const port = await fx.port();
    const replied = async (properties: Record<string, unknown>, address: unknown, body: Buffer) => {
      await port.session.publish({
        ...{ to: 'reply', address: address as string, body, properties, mustRoute: false, deadlineMs: 9_000 },
      });
    };
    let what = 'sealed';
    const bus = fx
      .bus('payroll', { encryption: { keys } })
      .handle('salary.get', async (_payload, context) => {
        const { messageId = '', replyTo } = context;
        const { body, header } = await sealed(5_000, what === 'other' ? 'another' : messageId);
        const headers = { [HEADER.encrypted]: header };
        if (what === 'plain') return replied({ correlationId: messageId }, replyTo, Buffer.from('5000'));
        if (what === 'failure') {
          const failure = Buffer.from('{"code":"NoKey","message":"not known"}');
          return replied(
            { correlationId: messageId, headers: { [HEADER.reply]: 'error' } },
            replyTo,
            failure,
          );
        }
        return replied({ correlationId: messageId, headers }, replyTo, body);
      });
    await bus.start();
    assert.equal(await bus.request(GetSalary, 'ada'), 5_000);
    for (const [how, error] of [
      ['other', UndecodableError],
      ['plain', UndecodableError],
      ['failure', ResponderError],
    ] as const) {
      what = how;
      await assert.rejects(bus.request(GetSalary, 'ada'), error);
    }
  });
};
