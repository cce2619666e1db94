import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DeliveryReader } from '../../../src/transport/amqp/wire/delivery-reader.js';
import {
  anyBody,
  anyProperties,
  deliveryFrames,
  flatHeaders,
  libraryReads,
  type Sent,
  shortText,
} from './library-frames.js';

const anyDelivery: fc.Arbitrary<Sent> = fc.record({
  channel: fc.integer({ min: 1, max: 65_535 }),
  fields: fc.record({
    consumerTag: shortText,
    deliveryTag: fc.oneof(fc.nat(), fc.maxSafeNat()),
    redelivered: fc.boolean(),
    exchange: shortText,
    routingKey: shortText,
  }),
  properties: anyProperties,
  body: anyBody,
});

const ordinary: Sent = {
  channel: 7,
  fields: {
    consumerTag: 'c',
    deliveryTag: 1,
    redelivered: false,
    exchange: 'hopline.events',
    routingKey: 'a.b',
  },
  properties: { contentType: 'application/json', deliveryMode: 2, messageId: 'one', headers: { attempt: 2 } },
  body: Buffer.from('{"id":1}'),
};

/** All properties by name: the library leaves them out if there is none at all. */
function named(message: { readonly properties: object }) {
  return { ...message, properties: withoutBytes(message.properties) };
}

/** The bytes in which they came are beside them. */
function withoutBytes(properties: object): object {
  const { encoded: _, ...others } = properties as { readonly encoded?: unknown };
  return others;
}

describe('a delivery that is read in one pass', () => {
  it('is what the client library reads, whatever it carries and wherever it begins', () => {
    const reader = new DeliveryReader();
    fc.assert(
      fc.property(anyDelivery, fc.nat(20), fc.nat(20), (sent, before, after) => {
        const frames = deliveryFrames(sent);
        const bytes = Buffer.concat([Buffer.alloc(before, 1), frames, Buffer.alloc(after, 1)]);
        const message = reader.read(bytes, before);
        assert.ok(message, 'it was left to the library');
        const expected = libraryReads(frames).message;
        // Without any property the library makes an empty object.
        for (const name of Object.keys(withoutBytes(message.properties)))
          assert.deepEqual(
            message.properties[name as keyof typeof message.properties],
            expected.properties[name as keyof typeof message.properties],
            name,
          );
        assert.deepEqual(message.fields, expected.fields);
        assert.deepEqual(message.content, expected.content);
        assert.equal(reader.end, before + frames.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is left to the library while a byte of it is missing', () => {
    const reader = new DeliveryReader();
    for (const body of [ordinary.body, Buffer.alloc(0)]) {
      const frames = deliveryFrames({ ...ordinary, body });
      for (let length = 0; length < frames.length; length += 1)
        assert.equal(reader.read(frames.subarray(0, length), 0), undefined, `${length} of ${frames.length}`);
      assert.ok(reader.read(frames, 0));
    }
  });

  it('is read with headers of rare types as the library reads them, and with one called __proto__', () => {
    const reader = new DeliveryReader();
    const headers = {
      when: { '!': 'timestamp', value: 1 },
      list: [1, 2.5, null, { a: [Buffer.from('a')] }],
      price: { '!': 'decimal', value: { places: 2, digits: 199 } },
    };
    const frames = deliveryFrames({ ...ordinary, properties: { headers } });
    assert.deepEqual(
      reader.read(frames, 0)?.properties.headers,
      libraryReads(frames).message.properties.headers,
    );
    const named = deliveryFrames({
      ...ordinary,
      properties: { headers: JSON.parse('{"__proto__": {"a": 1}}') },
    });
    const read = reader.read(named, 0)?.properties.headers ?? {};
    assert.deepEqual(Object.getOwnPropertyNames(read), ['__proto__']);
    assert.equal(Object.getPrototypeOf(read), Object.prototype);
  });

  it('is left to the library when its body comes in two frames', () => {
    const whole = deliveryFrames(ordinary);
    const head = whole.subarray(0, whole.length - ordinary.body.length - 8);
    const half = (text: string) => deliveryFrames({ ...ordinary, body: Buffer.from(text) });
    const bodyOf = (text: string) => half(text).subarray(-text.length - 8);
    const bytes = Buffer.concat([head, bodyOf('{"id'), bodyOf('":1}')]);
    assert.equal(new DeliveryReader().read(bytes, 0), undefined);
    assert.equal(libraryReads(bytes).message.content.toString(), '{"id":1}');
  });

  it('says what is unreadable, or is what the library reads, if bytes of it are wrong', () => {
    const reader = new DeliveryReader();
    let read = 0;
    const wrong = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.record({ headers: flatHeaders }), wrong, ({ headers }, changes) => {
        const bytes = deliveryFrames({ ...ordinary, properties: { ...ordinary.properties, headers } });
        for (const [place, value] of changes) bytes[place % bytes.length] = value;
        const message = reader.read(bytes, 0);
        if (!message || unreadableIn(message) !== undefined) return;
        const expected = orUnknownType(() => libraryReads(bytes));
        if (!expected) return;
        read += 1;
        assert.deepEqual(
          named(message),
          named({ ...expected.message, properties: { ...none, ...expected.message.properties } }),
        );
        assert.equal(reader.end, expected.end);
      }),
      { numRuns: 5_000 },
    );
    assert.ok(read > 500, `only ${read} were read at all`);
  });

  it('shares no text with another of the same length', () => {
    const reader = new DeliveryReader();
    const keys = ['order.aa.placed', 'order.ab.placed', 'order.ba.placed'];
    for (const routingKey of [...keys, ...keys]) {
      const frames = deliveryFrames({ ...ordinary, fields: { ...ordinary.fields, routingKey } });
      assert.equal(reader.read(frames, 0)?.fields.routingKey, routingKey);
    }
  });

  it('keeps nothing of the bytes that it was read from but its body and its properties as they lay there', () => {
    const reader = new DeliveryReader();
    const frames = deliveryFrames(ordinary);
    const first = reader.read(frames, 0);
    const second = deliveryFrames({ ...ordinary, fields: { ...ordinary.fields, routingKey: 'c.d' } });
    second.copy(frames);
    assert.equal(first?.fields.routingKey, 'a.b');
    assert.equal(reader.read(frames, 0)?.fields.routingKey, 'c.d');
  });
});

const unreadableIn = ({ properties }: { readonly properties: object }) =>
  (properties as { unreadable?: string }).unreadable;

/** There is a type that only we know. */
function orUnknownType<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    assert.match(String(error), /Unexpected type tag "L"/);
    return undefined;
  }
}

const none = Object.fromEntries(
  [
    'contentType',
    'contentEncoding',
    'headers',
    'deliveryMode',
    'priority',
    'correlationId',
    'replyTo',
    'expiration',
    'messageId',
    'timestamp',
    'type',
    'userId',
    'appId',
    'clusterId',
    'unreadable',
  ].map((name) => [name, undefined]),
);
