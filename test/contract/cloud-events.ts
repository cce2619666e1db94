import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { type CloudEvent, cloudEventOf, cloudEvents } from '../../src/cloudevents/index.js';
import { OptionsError, staticKeys } from '../../src/index.js';
import type { MessageProperties } from '../../src/message/properties.js';
import type { ConsumedMessage, ConsumeNext } from '../../src/pipeline/consume-middleware.js';
import type { MiddlewareObject } from '../../src/pipeline/middleware.js';
import type { BusFixture } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

/** What travels, seen before all other middleware. */
class Wire implements MiddlewareObject {
  readonly deliveries: ConsumedMessage[] = [];

  async consume(delivery: ConsumedMessage, next: ConsumeNext): Promise<void> {
    this.deliveries.push(delivery);
    await next();
  }
}

/** What a handler got. */
interface Got {
  readonly payload: unknown;
  readonly event: CloudEvent | undefined;
}

const STRUCTURED = 'application/cloudevents+json';
const REQUIRED = { specversion: '1.0', id: 'e1', source: '/erp', type: 'com.example.placed' };

/** A service whose only handler keeps what it gets; `body` as the option of handlers. */
async function receiver(fx: BusFixture, body?: 'text' | 'bytes'): Promise<Got[]> {
  const got: Got[] = [];
  const bus = fx.bus('shop', { middleware: [cloudEvents({ source: '/shop' })] });
  bus.handle(
    'order.#',
    (payload, context) => {
      got.push({ payload, event: cloudEventOf(context) });
    },
    { ...(body && { body }), retry: { tries: 1 } },
  );
  await bus.start();
  return got;
}

const foreign = (fx: BusFixture, body: Buffer | object, properties: MessageProperties) =>
  fx.foreign.publish({
    exchange: fx.events,
    routingKey: 'order.placed',
    body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
    properties,
  });

export const cloudEventsTheme: Theme = (test) => {
  test('binary: the attributes are headers, and the body is as it is without them', async (fx) => {
    const wire = new Wire();
    const got: Got[] = [];
    const bus = fx.bus('shop', {
      middleware: [
        wire,
        cloudEvents({
          source: '/shop',
          attributes: ({ payload }) => ({ subject: (payload as { id: string }).id }),
        }),
      ],
    });
    bus.handle(
      'order.placed',
      (payload, context) => {
        got.push({ payload, event: cloudEventOf(context) });
        if (got.length === 1) throw new Error('once more');
      },
      { retry: { tries: 2, backoff: '100ms' } },
    );
    await bus.start();
    await bus.publish('order.placed', { id: 'o7' }, { messageId: 'm1' });
    await fx.eventually(() => assert.equal(got.length, 2));
    const [first = assert.fail()] = wire.deliveries;
    assert.equal(first.body.toString(), '{"id":"o7"}');
    assert.equal(first.contentType, 'application/json');
    const { 'cloudEvents:time': time, ...attributes } = first.headers;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(attributes, {
      'cloudEvents:specversion': '1.0',
      'cloudEvents:id': 'm1',
      'cloudEvents:source': '/shop',
      'cloudEvents:type': 'order.placed',
      'cloudEvents:subject': 'o7',
    });
    const event = {
      specversion: '1.0',
      id: 'm1',
      source: '/shop',
      type: 'order.placed',
      subject: 'o7',
      time,
    };
    assert.deepEqual(got, [
      { payload: { id: 'o7' }, event },
      { payload: { id: 'o7' }, event },
    ]);
  });

  test('structured: attributes and data are one body, of which the handler gets the data', async (fx) => {
    const wire = new Wire();
    const got: Got[] = [];
    const bus = fx.bus('shop', {
      middleware: [
        wire,
        cloudEvents({ source: '/shop', mode: 'structured', attributes: () => ({ tenant: 'acme' }) }),
      ],
    });
    bus.handle('order.*', (payload, context) => {
      got.push({ payload, event: cloudEventOf(context) });
    });
    await bus.start();
    await bus.publish('order.placed', { id: 7 }, { messageId: 'm1' });
    await bus
      .chain([
        { key: 'order.paid', payload: 1 },
        { key: 'order.sent', payload: 2 },
      ])
      .dispatch();
    await fx.eventually(() => assert.equal(got.length, 3));
    const [first = assert.fail()] = wire.deliveries;
    assert.equal(first.contentType, `${STRUCTURED}; charset=utf-8`);
    const { time, ...envelope } = JSON.parse(first.body.toString());
    const event = { specversion: '1.0', id: 'm1', source: '/shop', type: 'order.placed', tenant: 'acme' };
    assert.deepEqual(envelope, { ...event, datacontenttype: 'application/json', data: { id: 7 } });
    assert.deepEqual(got[0], { payload: { id: 7 }, event: { ...event, time } });
    assert.deepEqual(
      got.map(({ payload, event: its }) => [payload, its?.type]),
      [
        [{ id: 7 }, 'order.placed'],
        [1, 'order.paid'],
        [2, 'order.sent'],
      ],
    );
  });

  test('events of others are read with each prefix, and with a time that is one of AMQP', async (fx) => {
    const got = await receiver(fx);
    for (const prefix of ['cloudEvents:', 'cloudEvents_', 'ce-']) {
      const headers = Object.fromEntries(
        Object.entries(REQUIRED).map(([name, value]) => [prefix + name, value]),
      );
      await foreign(
        fx,
        { prefix },
        {
          headers: { ...headers, [`${prefix}time`]: { '!': 'timestamp', value: 1_700_000_000 }, other: 'x' },
          contentType: 'application/json',
        },
      );
    }
    const event = { ...REQUIRED, time: '2023-11-14T22:13:20.000Z' };
    await fx.eventually(() =>
      assert.deepEqual(got, [
        { payload: { prefix: 'cloudEvents:' }, event },
        { payload: { prefix: 'cloudEvents_' }, event },
        { payload: { prefix: 'ce-' }, event },
      ]),
    );
  });

  test('what is no CloudEvent passes as it is, and has no attributes', async (fx) => {
    const got = await receiver(fx);
    await foreign(fx, { id: 1 }, { headers: { 'cloudEvents:id': 'e1' } });
    await fx.eventually(() => assert.deepEqual(got, [{ payload: { id: 1 }, event: undefined }]));
  });

  test('structured events of others: JSON, text, bytes, no data, and compressed', async (fx) => {
    const got = await receiver(fx, 'text');
    const contentType = 'Application/CloudEvents+JSON; charset=UTF-8';
    await foreign(fx, { ...REQUIRED, data: { id: 1 } }, { contentType });
    await foreign(fx, { ...REQUIRED, datacontenttype: 'text/plain', data: 'hello' }, { contentType });
    await foreign(fx, { ...REQUIRED, data_base64: 'aGVsbG8=' }, { contentType });
    await foreign(fx, { ...REQUIRED, subject: null }, { contentType });
    await foreign(fx, gzipSync(JSON.stringify({ ...REQUIRED, data: 1 })), {
      contentType,
      contentEncoding: 'gzip',
    });
    await fx.eventually(() =>
      assert.deepEqual(
        got,
        ['{"id":1}', 'hello', 'hello', 'null', '1'].map((payload) => ({ payload, event: REQUIRED })),
      ),
    );
  });

  for (const [what, body, contentType, why] of [
    ['no JSON', Buffer.from('{'), STRUCTURED, /body is no JSON/],
    ['no event', { ...REQUIRED, id: '' }, STRUCTURED, /its id is ""/],
    ['of another version', { ...REQUIRED, specversion: '0.3' }, STRUCTURED, /version "0.3", not 1.x/],
    ['a batch', [REQUIRED], 'application/cloudevents-batch+json', /several CloudEvents/],
  ] as const) {
    test(`an event in structured mode that is ${what} is a dead letter that says so`, async (fx) => {
      await receiver(fx);
      await foreign(fx, body, { contentType });
      const letter = await fx.deadLetter(fx.name('shop'));
      assert.equal(letter.properties.headers?.['hopline-reason'], 'undecodable');
      assert.match(String(letter.properties.headers?.['hopline-error']), why);
    });
  }

  test('attributes that no event can have are refused before anything is sent', async (fx) => {
    const bus = fx.bus('shop', {
      middleware: [cloudEvents({ source: '/shop', attributes: () => ({ dataContentType: 'x', age: 1.5 }) })],
    });
    await bus.start();
    await assert.rejects(bus.publish('order.placed', {}), (error) => {
      assert.ok(error instanceof OptionsError);
      assert.match(error.message, /dataContentType/);
      assert.match(error.message, /age/);
      return true;
    });
  });

  test('an envelope around what is compressed is refused, and one that is compressed itself is read', async (fx) => {
    const gzip: MiddlewareObject = {
      publish: (_message, next) => next({ encode: (body) => gzipSync(body), contentEncoding: 'gzip' }),
    };
    const enveloping = cloudEvents({ source: '/shop', mode: 'structured' });
    const wrong = fx.bus('wrong', { middleware: [enveloping, gzip] });
    await wrong.start();
    await assert.rejects(wrong.publish('order.placed', {}), /'gzip' for the content encoding stands within/);
    const got = fx.recorder();
    const bus = fx.bus('shop', { middleware: [gzip, enveloping] });
    bus.handle('order.placed', got.handle);
    await bus.start();
    await bus.publish('order.placed', { id: 1 });
    await fx.eventually(() => assert.deepEqual(got.payloads, [{ id: 1 }]));
  });

  test('handlers of many, and encrypted messages, have their attributes, too', async (fx) => {
    const got: (string | undefined)[] = [];
    const bus = fx.bus('shop', {
      middleware: [cloudEvents({ source: '/shop', prefix: 'ce-' })],
      encryption: { keys: staticKeys({ current: 'k1', keys: { k1: Buffer.alloc(32, 7) } }) },
    });
    bus.handle(
      'order.*',
      (_payloads, contexts) => {
        for (const context of contexts) got.push(cloudEventOf(context)?.id);
      },
      { bulk: { max: 2, within: '100ms' } },
    );
    await bus.start();
    await bus.publish('order.placed', 1, { messageId: 'm1' });
    await bus.publish('order.paid', 2, { messageId: 'm2', encrypted: true });
    await fx.eventually(() => assert.deepEqual(got.toSorted(), ['m1', 'm2']));
  });
};
