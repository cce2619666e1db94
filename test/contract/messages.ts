import assert from 'node:assert/strict';
import { type Headers, type MessageContext, MessageTooLargeError } from '../../src/index.js';
import { publishersHeaders, watch } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const messages: Theme = (test) => {
  test('payloads of every JSON kind arrive as they were, unicode and 1 MiB included', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { concurrency: 1 }).handle('k', seen.handle);
    await bus.start();
    const payloads = [
      { text: 'naïve – 日本語 – 🐇 – \u0000\u2028', nested: [{ deep: [null, true, -0.5e-7] }] },
      ...['', 'text', 0, 2 ** 53, false, null],
      ...[[], {}],
      { large: 'ä'.repeat(2 ** 19) },
    ];
    for (const payload of payloads) await bus.publish('k', payload);
    await fx.eventually(() => assert.equal(seen.calls.length, payloads.length));
    assert.deepEqual(seen.payloads, payloads);
  });

  test('a message is what it was at the call of publish, whatever is done to its payload and headers after that', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await bus.start();
    const payload = { list: [1] };
    const headers: Headers = { tenant: 'a', second: 'b' };
    const publishing = bus.publish('k', payload, { headers });
    payload.list.push(2);
    headers.tenant = 'changed';
    delete headers.second;
    await publishing;
    await fx.eventually(() => assert.deepEqual(seen.payloads, [{ list: [1] }]));
    assert.deepEqual({ ...seen.at(0).context.headers }, { tenant: 'a', second: 'b' });
  });

  test('a body over the cap is refused before anything is sent', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { maxBodyBytes: 100 }).handle('k', seen.handle);
    await bus.start();
    await assert.rejects(bus.publish('k', 'x'.repeat(99)), MessageTooLargeError);
    await bus.publish('k', 'x'.repeat(98));
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
  });

  test('the context says what the delivery is', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('order.*', seen.handle, { retry: { tries: 7 } });
    await bus.start();
    await bus.publish('order.placed', 1, {
      headers: { tenant: 'ä🐇', list: [1, { two: 2 }], flag: true },
      correlationId: 'c-1',
    });
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    const { context } = seen.at(0);
    assert.match(context.messageId ?? '', UUID_V7);
    assert.deepEqual(
      [context.routingKey, context.exchange, context.queue],
      ['order.placed', fx.events, fx.name('mailer')],
    );
    assert.deepEqual([context.attempt, context.tries, context.redelivered], [1, 7, false]);
    assert.equal(context.correlationId, 'c-1');
    assert.equal(context.headers.tenant, 'ä🐇');
    assert.equal(JSON.stringify(context.headers.list), '[1,{"two":2}]');
    assert.deepEqual(Object.keys(context.headers).toSorted(), ['flag', 'list', 'tenant']);
    assert.equal(context.signal.aborted, false);
    assert.ok(
      Math.abs(fx.harness.clock.now() - Number(context.publishedAt)) < 5_000,
      `${context.publishedAt}`,
    );
  });

  test('the context says the same of a foreign message on every attempt, and in failed(): its properties, and its own headers', async (fx) => {
    const told: object[] = [];
    const tell = (context: MessageContext) => {
      const { replyTo, type, appId, contentType, contentEncoding, priority, expiration } = context;
      const { messageId, correlationId, publishedAt, exchange, routingKey, queue } = context;
      told.push({
        ...{ replyTo, type, appId, contentType, contentEncoding, priority, expiration },
        ...{ messageId, correlationId, publishedAt, exchange, routingKey, queue },
        headers: { ...context.headers },
      });
    };
    const fail = (_payload: unknown, context: MessageContext) => {
      tell(context);
      throw new Error('once more');
    };
    const bus = fx.bus('mailer').handle('order.*', fail, {
      retry: { tries: 2, backoff: '100ms' },
      failed: (_error, _payload, context) => tell(context),
    });
    await bus.start();
    const properties = {
      ...{ replyTo: 'answers', type: 'order', appId: 'till', contentType: 'text/plain' },
      ...{ contentEncoding: 'utf-8', priority: 3, expiration: '60000', correlationId: 'c-1' },
      ...{ messageId: 'm-1', timestamp: 1_767_603_600 },
      headers: { CC: ['archive.order'], tenant: 'a', compression: 'none', 'hopline-attempt': 7 },
    };
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'order.placed', body: '1', properties });
    await fx.deadLetter(fx.name('mailer'));
    const { headers, timestamp, ...rest } = properties;
    const { 'hopline-attempt': _, ...own } = headers;
    const publishedAt = new Date(timestamp * 1_000);
    const way = { exchange: fx.events, routingKey: 'order.placed', queue: fx.name('mailer') };
    const said = { ...rest, publishedAt, ...way, headers: own };
    assert.deepEqual(told, [said, said, said]);
  });

  test('the context has nothing that a publisher has not said', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await bus.start();
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: '1' });
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    const { replyTo, type, appId, contentType, contentEncoding, priority, expiration } = seen.at(0).context;
    const said = [replyTo, type, appId, contentType, contentEncoding, priority, expiration];
    assert.deepEqual(
      said.filter((each) => each !== undefined),
      [],
    );
  });

  test('a published message is plain JSON with the usual properties, for any client to read', async (fx) => {
    const bus = fx.bus('mailer').handle('order.*', () => {});
    await bus.start();
    await fx.stop(bus);
    const publisher = await fx.publisher();
    const seconds = Math.floor(fx.harness.clock.now() / 1_000);
    await publisher.publish('order.placed', { id: 7 }, { headers: { tenant: 'a' }, priority: 2 });
    const [message] = await fx.taken(fx.name('mailer'), 1);
    assert.equal(message?.body.toString(), '{"id":7}');
    const { properties } = message as NonNullable<typeof message>;
    assert.match(properties.messageId ?? '', UUID_V7);
    assert.deepEqual(
      [
        properties.type,
        properties.appId,
        properties.contentType,
        properties.deliveryMode,
        properties.priority,
      ],
      ['order.placed', fx.name('publisher'), 'application/json', 2, 2],
    );
    assert.ok(
      Math.abs((properties.timestamp ?? 0) - seconds) <= 2,
      `${properties.timestamp}, not ${seconds}`,
    );
    assert.deepEqual(publishersHeaders(properties.headers), { tenant: 'a' });
    assert.equal(Object.keys(properties.headers).filter((name) => name.startsWith('hopline-')).length, 0);
  });

  test("a publisher's headers can't pretend to be ours or the broker's", async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await bus.start();
    const forged = { 'hopline-attempt': 4, 'hopline-anything': 'x', 'x-death': [], 'x-delivery-count': 9 };
    await bus.publish('k', 1, { headers: { ...forged, 'x-own': 'kept' } });
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    assert.deepEqual({ ...seen.at(0).context.headers }, { 'x-own': 'kept' });
    assert.equal(seen.at(0).attempt, 1);
  });

  test('what a handler publishes through its context carries correlation and trace on', async (fx) => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const seen = fx.recorder();
    const bus = fx
      .bus('mailer')
      .handle('first', (_payload, context) => context.send('second', 2, { headers: { own: 'yes' } }))
      .handle('second', seen.handle);
    await bus.start();
    await bus.publish('first', 1, { messageId: 'root', headers: { traceparent, private: 'x' } });
    await bus.publish('first', 1, { correlationId: 'given' });
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    const [first, second] = seen.calls.toSorted((a) => (a.context.correlationId === 'root' ? -1 : 1));
    assert.equal(first?.context.correlationId, 'root');
    assert.deepEqual({ ...first?.context.headers }, { traceparent, own: 'yes' });
    assert.equal(second?.context.correlationId, 'given');
  });

  test('the events of a bus tell the life of a message in order', async (fx) => {
    const seen = fx.recorder(({ attempt }) => {
      if (attempt === 1) throw new Error('first try');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { name: 'Mail', retry: { backoff: ['100ms'] } });
    const told = watch(
      bus,
      'message.published',
      'message.confirmed',
      'handler.started',
      'handler.succeeded',
      'handler.failed',
      'message.retried',
      'message.deadLettered',
    );
    await bus.start();
    await bus.publish('k', 1, { messageId: 'm' });
    await fx.eventually(() => assert.equal(told.at(-1)?.name, 'handler.succeeded'));
    // The confirm and the delivery race each other.
    const names = told.map(({ name }) => name).filter((name) => name !== 'message.confirmed');
    assert.deepEqual(names, [
      'message.published',
      'handler.started',
      'handler.failed',
      'message.retried',
      'handler.started',
      'handler.succeeded',
    ]);
    assert.equal(told.filter(({ name }) => name === 'message.confirmed').length, 1);
    for (const { name, event } of told.filter(({ name: each }) => each.startsWith('handler.'))) {
      const { service, queue, handler, exchange, routingKey, messageId } = event as typeof event & {
        [field: string]: unknown;
      };
      assert.deepEqual(
        { service, queue, handler, exchange, routingKey, messageId },
        {
          service: fx.name('mailer'),
          queue: fx.name('mailer'),
          handler: 'Mail',
          exchange: fx.events,
          routingKey: 'k',
          messageId: 'm',
        },
        name,
      );
    }
    assert.deepEqual(
      told.flatMap(({ event }) => ('attempt' in event ? [event.attempt] : [])),
      [1, 1, 1, 2, 2],
    );
  });

  test('a listener that throws is logged and disturbs nothing', async (fx) => {
    fx.expectError(/a listener threw/);
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    for (const name of ['handler.started', 'message.published', 'message.confirmed'] as const) {
      bus.on(name, () => {
        throw new Error(`from ${name}`);
      });
    }
    await bus.start();
    await bus.publish('k', 'handled');
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['handled']));
    assert.equal(fx.log.filter(({ message }) => message === 'a listener threw').length, 3);
  });
};
