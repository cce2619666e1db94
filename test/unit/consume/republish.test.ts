import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  deadLetter,
  delayedCopy,
  type GivenUp,
  leastLetter,
  lightened,
  movedCopy,
  type NextAttempt,
} from '../../../src/consume/settle/republish.js';
import { checkHeaders, HEADER, isBrokerHeader } from '../../../src/message/headers.js';
import type { Headers, MessageProperties } from '../../../src/message/properties.js';
import { publishedAtOf } from '../../../src/message/wire/published-at.js';
import { addressOf } from '../../../src/topology/address.js';
import { decoded, encoded } from '../message/amqplib-codec.js';
import { names, received, TestDelivery } from './fixtures.js';

const AT = Date.UTC(2026, 0, 5, 9);

const next: NextAttempt = {
  attempt: 2,
  exceptions: 1,
  releases: 0,
  firstAttemptAt: AT,
  elapsedMs: 4_000,
  unhandledSince: undefined,
  follows: undefined,
};

const givenUp = (given: Partial<GivenUp> = {}): GivenUp => ({
  reason: 'exhausted',
  error: new RangeError('too far'),
  attempt: 1,
  exceptions: 0,
  firstAttemptAt: AT,
  failedAt: AT + 90_000,
  ...given,
});

type Given = ConstructorParameters<typeof TestDelivery>[0];

const retried = (given: Given, attempt: Partial<NextAttempt> = {}) =>
  delayedCopy(received(given), 4_000, { ...next, ...attempt }, 30_000);

const buried = (given: Given, end: Partial<GivenUp> = {}) =>
  deadLetter(received(given), givenUp(end), 30_000);

const headersOf = ({ properties }: { properties: MessageProperties }): Headers => properties.headers ?? {};

describe('a message whose headers leave no room for ours', () => {
  const heavy = { small: 'x', large: 'y'.repeat(40_000), middle: 'z'.repeat(20_000), 'hopline-attempt': 2 };

  it('loses the largest of its publisher, and says which; all of ours stay', () => {
    const copy = retried({ properties: { messageId: 'm', headers: { ...heavy } } });
    const lighter = lightened(copy) ?? assert.fail('there was something to leave out');
    const { large: _, ...kept } = headersOf(copy);
    assert.deepEqual({ ...headersOf(lighter) }, { ...kept, 'hopline-dropped-headers': 'large' });
    assert.equal(headersOf(copy).large, heavy.large, 'the message itself is as it was');
    assert.deepEqual({ ...lighter, properties: {} }, { ...copy, properties: {} });
  });

  it('says of a header that could not be read that it is left out', () => {
    const headers = { first: 'x', 'hopline-dropped-headers': 'earlier' };
    const letter = buried({ unreadable: 'header "big"', properties: { messageId: 'm', headers } });
    assert.equal(headersOf(letter)['hopline-dropped-headers'], 'earlier, header "big"');
  });

  it('loses about half each time, until only ours are left', () => {
    const headers = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`header-${index}`, index]),
    );
    let copy = retried({ properties: { headers: { ...headers, CC: ['a'.repeat(1_000)] } } });
    let rounds = 0;
    for (let next = lightened(copy); next; next = lightened(copy)) {
      copy = next;
      rounds += 1;
    }
    assert.ok(rounds <= 12, `${rounds} rounds`);
    const left = headersOf(copy);
    assert.ok(Object.keys(left).every((name) => name.startsWith('hopline-')));
    assert.equal(left['hopline-attempt'], 2);
    assert.equal(left['hopline-cc'], undefined);
    assert.ok(Buffer.byteLength(String(left['hopline-dropped-headers'])) <= 1_024);
  });
});

describe('a message that travels on', () => {
  it('goes to exactly its queue after its delay, or to the dead letters under its name; both must arrive', () => {
    const copy = retried({ queue: 'billing' });
    assert.ok(copy.to === 'queue');
    assert.deepEqual([copy.queue, copy.delayMs], ['billing', 4_000]);
    const letter = buried({ queue: 'billing' });
    assert.ok(letter.to === 'dead-letters');
    assert.deepEqual([letter.queue, letter.delayMs], ['billing', undefined]);
    for (const message of [copy, letter]) {
      assert.equal(message.mustRoute, true);
      assert.equal(message.deadlineMs, 30_000);
      assert.equal(message.properties.deliveryMode, 2);
    }
  });

  it('keeps its bytes, its properties and its headers', () => {
    const body = Buffer.from([0x00, 0xff, 0xfe, 0x80]);
    const properties: MessageProperties = {
      messageId: 'm1',
      timestamp: 1_767_603_600,
      type: 'order.placed',
      appId: 'shop',
      contentType: 'text/odd',
      contentEncoding: 'gzip',
      correlationId: 'c1',
      replyTo: 'answers',
      priority: 7,
      headers: { traceparent: '00-1', nested: { list: [1, 'a', null] }, 'x-request-id': 'r1' },
    };
    for (const message of [retried({ body, properties }), buried({ body, properties })]) {
      assert.equal(message.body, body);
      const { headers, deliveryMode: _, ...kept } = message.properties;
      const { headers: given, priority, ...expected } = properties;
      assert.deepEqual([kept, message.priority], [expected, priority]);
      for (const [name, value] of Object.entries(given ?? {})) assert.deepEqual(headers?.[name], value);
    }
  });

  it('leaves the headers of the delivery as they are, so that a publish that fails can be made again', () => {
    const headers = { CC: ['copy'], 'x-death': [{ count: 1 }] } as Headers;
    const source = received({ properties: { headers, expiration: '5' } });
    const before = structuredClone({ ...source.delivery.properties.headers });
    delayedCopy(source, 1_000, next, 30_000);
    deadLetter(source, givenUp(), 30_000);
    assert.deepEqual({ ...source.delivery.properties.headers }, before);
  });

  it('moves expiration, user id and CC aside: they would act again on the way', () => {
    const properties = { expiration: '60000', userId: 'guest', headers: { CC: ['copy.key'] } };
    for (const message of [retried({ properties }), buried({ properties })]) {
      assert.equal('expiration' in message.properties || message.ttlMs !== undefined, false);
      assert.equal('userId' in message.properties, false);
      const headers = headersOf(message);
      assert.equal('CC' in headers, false);
      assert.equal(headers[HEADER.expiration], '60000');
      assert.equal(headers[HEADER.userId], 'guest');
      assert.deepEqual(headers[HEADER.cc], ['copy.key']);
    }
  });

  it('keeps what was moved aside on an earlier hop', () => {
    const headers = { [HEADER.expiration]: '60000', [HEADER.userId]: 'guest', [HEADER.cc]: ['copy.key'] };
    const copy = retried({ exchange: 'hopline.delay.1.in.s', properties: { headers } });
    assert.equal(headersOf(copy)[HEADER.expiration], '60000');
    assert.equal(headersOf(copy)[HEADER.userId], 'guest');
    assert.deepEqual(headersOf(copy)[HEADER.cc], ['copy.key']);
  });

  it("leaves the broker's own headers behind: an old x-death can lose the message on 3.10", () => {
    const headers: Headers = {
      'x-death': [{ count: 1 }],
      'x-delivery-count': 3,
      'x-first-death-queue': 'q',
      mine: 1,
    };
    for (const message of [retried({ properties: { headers } }), buried({ properties: { headers } })]) {
      assert.deepEqual(Object.keys(headersOf(message)).filter(isBrokerHeader), []);
      assert.equal(headersOf(message).mine, 1);
    }
  });

  it('gets a message id if a foreign publisher gave none, which says nothing of when it was published, and keeps it', () => {
    for (const { properties } of [retried({}), buried({}), retried({ properties: { messageId: '' } })]) {
      assert.match(properties.messageId ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      assert.equal(publishedAtOf(properties), undefined);
    }
    assert.equal(buried({ properties: { messageId: 'mine' } }).properties.messageId, 'mine');
  });

  it('has no prototype in its headers, whatever they are called', () => {
    const headers = JSON.parse('{"__proto__":{"isAdmin":true}}') as Headers;
    for (const message of [retried({ properties: { headers } }), buried({ properties: { headers } })]) {
      assert.equal(Object.getPrototypeOf(headersOf(message)), null);
      assert.ok(Object.keys(headersOf(message)).includes('__proto__'));
    }
  });
});

describe('a retried message', () => {
  it('carries its count and its origin', () => {
    const copy = retried(
      { exchange: 'shop.events', routingKey: 'order.placed' },
      { releases: 3, exceptions: 2 },
    );
    assert.deepEqual(
      { ...headersOf(copy) },
      {
        [HEADER.exchange]: 'shop.events',
        [HEADER.routingKey]: 'order.placed',
        [HEADER.attempt]: 2,
        [HEADER.exceptions]: 2,
        [HEADER.releases]: 3,
        [HEADER.firstAttemptAt]: '2026-01-05T09:00:00.000Z',
        [HEADER.elapsed]: 4_000,
      },
    );
  });

  it('carries since when nobody has handled it, and no longer once somebody has', () => {
    const headers = { [HEADER.unhandledSince]: '2026-01-05T09:00:00.000Z' };
    const given = { exchange: 'hopline.delay.1.in.s', properties: { headers } };
    const still = headersOf(retried(given, { unhandledSince: AT }));
    assert.equal(still[HEADER.unhandledSince], '2026-01-05T09:00:00.000Z');
    assert.equal(HEADER.unhandledSince in headersOf(retried(given)), false);
  });

  it('says who has edited it as long as nobody but Hopline can have said so', () => {
    const edited = '{"v":1,"by":"ann"}';
    const told = (exchange: string) => {
      const given = { exchange, properties: { headers: { [HEADER.edited]: edited } } };
      const least = leastLetter(received(given), givenUp(), 30_000);
      return [retried(given), buried(given), least].map((copy) => headersOf(copy)[HEADER.edited]);
    };
    for (const exchange of ['hopline.land', 'hopline.delay.1.out'])
      assert.deepEqual(told(exchange), [edited, edited, edited]);
    for (const exchange of ['hopline.events', '', 'amq.topic'])
      assert.deepEqual(told(exchange), [undefined, undefined, undefined]);
  });

  it('takes over none of the counters that a publisher forged, not even where its own are 0', () => {
    const headers: Headers = { [HEADER.exceptions]: 7, [HEADER.releases]: 9, [HEADER.reason]: 'exhausted' };
    const copy = headersOf(
      retried({ exchange: 'hopline.events', properties: { headers } }, { exceptions: 0 }),
    );
    assert.equal(copy[HEADER.exceptions] ?? 0, 0);
    assert.equal(copy[HEADER.releases] ?? 0, 0);
    assert.equal(copy[HEADER.reason], undefined);
  });
});

describe('a message that moves to another queue', () => {
  const moved = (given: Given) => movedCopy(received(given), 'mailer.welcome', 30_000);

  it('goes to exactly that one, and must arrive', () => {
    const message = moved({ body: Buffer.from([0, 255]) });
    assert.ok(message.to === 'queue');
    assert.deepEqual([message.queue, message.delayMs], ['mailer.welcome', 0]);
    assert.deepEqual([message.mustRoute, message.body], [true, Buffer.from([0, 255])]);
  });

  it('keeps its properties, its expiration among them, and the headers of its publisher', () => {
    const properties = { messageId: 'm', priority: 3, expiration: '60000', headers: { tenant: 'acme' } };
    const { properties: copied, priority, ttlMs } = moved({ properties });
    const { headers, ...kept } = copied;
    assert.deepEqual([kept, priority, ttlMs], [{ messageId: 'm', deliveryMode: 2 }, 3, 60_000]);
    assert.equal(headers?.tenant, 'acme');
  });

  it('is received as what it is, on the attempt that it was on', () => {
    const headers = {
      [HEADER.attempt]: 3,
      [HEADER.exceptions]: 2,
      [HEADER.firstAttemptAt]: new Date(AT).toISOString(),
      [HEADER.elapsed]: 4_000,
      [HEADER.exchange]: 'shop.events',
      [HEADER.routingKey]: 'order.placed',
    };
    const again = (given: Given) => {
      const message = moved(given);
      const it = received({ ...addressOf(names, message), properties: message.properties });
      return [it.attempt, it.exceptions, it.firstAttemptAt, it.elapsedMs, it.exchange, it.routingKey];
    };
    const retry = { exchange: 'hopline.delay.1.s4', properties: { headers } };
    assert.deepEqual(again(retry), [3, 2, AT, 4_000, 'shop.events', 'order.placed']);
    // One that a publisher has forged is on its first.
    const forged = { exchange: 'hopline.events', routingKey: 'k', properties: { headers } };
    assert.deepEqual(again(forged), [1, 0, undefined, 0, 'hopline.events', 'k']);
  });
});

describe('a dead letter', () => {
  it('says why, of what, when, and after how many attempts', () => {
    const headers = { [HEADER.releases]: 2 };
    const error = new RangeError('too far');
    const letter = headersOf(
      buried(
        {
          exchange: 'hopline.delay.1.in.s',
          routingKey: '0.0.0.0.4.0.e.shop/events.order.placed',
          properties: { headers },
        },
        { error, attempt: 5, exceptions: 4, handler: 'Bill', version: '1.4.2' },
      ),
    );
    assert.deepEqual(
      { ...letter },
      {
        [HEADER.exchange]: 'shop.events',
        [HEADER.routingKey]: 'order.placed',
        [HEADER.attempt]: 5,
        [HEADER.exceptions]: 4,
        [HEADER.releases]: 2,
        [HEADER.firstAttemptAt]: '2026-01-05T09:00:00.000Z',
        [HEADER.failedAt]: '2026-01-05T09:01:30.000Z',
        [HEADER.queue]: 'billing',
        [HEADER.reason]: 'exhausted',
        [HEADER.handler]: 'Bill',
        [HEADER.version]: '1.4.2',
        [HEADER.error]: 'RangeError: too far',
        [HEADER.stack]: error.stack,
      },
    );
  });

  it('says what failed() threw beside what the handler threw', () => {
    const letter = headersOf(buried({}, { failedError: new Error('and again') }));
    assert.equal(letter[HEADER.error], 'RangeError: too far; then failed() threw Error: and again');
  });

  it('tells of its own death, not of an earlier one', () => {
    const headers = {
      [HEADER.stack]: 'an old stack',
      [HEADER.error]: 'an old error',
      [HEADER.unhandledSince]: 'x',
    };
    const letter = headersOf(buried({ properties: { headers } }, { error: 'a text without a stack' }));
    assert.equal(letter[HEADER.error], 'threw "a text without a stack"');
    assert.equal(HEADER.stack in letter, false);
    assert.equal(HEADER.unhandledSince in letter, false);
  });

  it('is the least that fits whatever the message came with: the client library can write it', () => {
    const long = fc.integer({ min: 0, max: 70_000 }).map((length) => '☃'.repeat(length));
    const value = fc.oneof(
      fc.string(),
      long,
      fc.constant({ '!': 'timestamp', value: 2 ** 64 }),
      fc.constant({ '!': 'nonsense' }),
    );
    const name = fc.oneof(fc.string({ maxLength: 300 }), fc.constantFrom(...Object.values(HEADER)));
    const short = fc.option(
      fc.oneof(
        fc.string(),
        fc.integer({ min: 0, max: 255 }).map((length) => '\uFFFD'.repeat(length)),
      ),
      {
        nil: undefined,
      },
    );
    fc.assert(
      fc.property(
        fc.dictionary(name, value, { maxKeys: 8 }),
        fc.record({ messageId: short, correlationId: short, type: short, replyTo: short }),
        long,
        (headers, texts, message) => {
          const properties = { headers: headers as Headers, timestamp: 2 ** 64 } as MessageProperties;
          for (const [name, text] of Object.entries(texts))
            if (text !== undefined) Object.assign(properties, { [name]: text });
          const given = received({ properties });
          const letter = leastLetter(given, givenUp({ error: new Error(message) }), 30_000);
          assert.ok(encoded(headersOf(letter)).length <= 64 * 1024);
          const { headers: _, ...plain } = letter.properties;
          for (const text of Object.values(plain))
            assert.ok(typeof text !== 'string' || Buffer.byteLength(text) <= 255);
          assert.equal(plain.timestamp, undefined);
          assert.equal(letter.body, given.delivery.body);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('cuts error and stack to their budgets, at the edge of a character', () => {
    const error = new Error('ü'.repeat(5_000));
    error.stack = '☃'.repeat(5_000);
    const letter = headersOf(buried({}, { error }));
    const [text, stack] = [String(letter[HEADER.error]), String(letter[HEADER.stack])];
    assert.match(text, /^Error: ü+…$/);
    assert.match(stack, /^☃+…$/);
    assert.ok(Buffer.byteLength(text) <= 1_024 && Buffer.byteLength(text) > 1_000);
    assert.ok(Buffer.byteLength(stack) <= 4_096 && Buffer.byteLength(stack) > 4_080);
  });

  it('gives up the stack first, then the error, when the headers are large already', () => {
    const has = (bytes: number) => {
      const letter = headersOf(buried({ properties: { headers: { large: 'x'.repeat(bytes) } } }));
      return [HEADER.reason in letter, HEADER.error in letter, HEADER.stack in letter];
    };
    assert.deepEqual(has(32_000), [true, true, true]);
    assert.deepEqual(has(53_000), [true, true, false]);
    assert.deepEqual(has(58_000), [true, false, false]);
  });

  it('can always be written by the client library, if the publisher kept to the cap', () => {
    const value = fc.oneof(
      fc.string({ maxLength: 3_000, unit: 'grapheme' }),
      fc.array(
        fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true, max: 1e15, min: -1e15 }), fc.boolean()),
        { maxLength: 400 },
      ),
      fc.integer(),
    );
    const text = fc.integer({ min: 0, max: 9_000 }).map((length) => '☃'.repeat(length));
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 80 }), value, { maxKeys: 12 }),
        text,
        text,
        (given, message, stack) => {
          const headers = given as unknown as Headers;
          try {
            checkHeaders(headers);
          } catch {
            fc.pre(false);
          }
          const error = Object.assign(new Error(message), { stack });
          const letter = headersOf(buried({ properties: { headers } }, { error }));
          assert.ok(encoded(letter).length <= 64 * 1024);
          assert.equal(decoded(encoded(letter))[HEADER.reason], 'exhausted');
        },
      ),
      { numRuns: 300 },
    );
  });
});
