import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidMessageError, MessageTooLargeError } from '../../../src/errors.js';
import {
  checkHeaders,
  HEADER,
  HEADERS_CAP_BYTES,
  isBrokerHeader,
  publisherHeaders,
} from '../../../src/message/headers.js';
import type { Headers, HeaderValue } from '../../../src/message/properties.js';
import { decoded, encoded } from './amqplib-codec.js';

/** A header that isn't in the types: what plain JavaScript may pass. */
const odd = (value: unknown) => ({ odd: value }) as unknown as Headers;

const { value: valueArbitrary } = fc.letrec<{ value: HeaderValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.string({ maxLength: 8 }), tie('value'), { maxKeys: 5 }),
  ),
}));

const headersArbitrary = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 100 }),
  valueArbitrary,
) as fc.Arbitrary<Headers>;

/** The size that the check reckons with: an extra header fills up to the cap exactly, one byte more is refused. */
function reckonedBytes(headers: Headers): number {
  try {
    checkHeaders({ ...headers, '\0': 'x'.repeat(HEADERS_CAP_BYTES) });
  } catch (error) {
    if (!(error instanceof MessageTooLargeError)) throw error;
    return Number(/take (\d+) bytes/.exec(error.message)?.[1]) - HEADERS_CAP_BYTES - 7;
  }
  assert.fail('a header of the size of the cap was accepted');
}

describe('checking headers', () => {
  it('lets nothing through that amqplib refuses, and never reckons fewer bytes than amqplib writes', () => {
    fc.assert(
      fc.property(headersArbitrary, (headers) => {
        let reckoned: number;
        try {
          reckoned = reckonedBytes(headers);
        } catch (error) {
          assert.ok(error instanceof InvalidMessageError, String(error));
          return;
        }
        const written = encoded(headers).length;
        assert.ok(written <= reckoned, `amqplib writes ${written} bytes, the check reckons with ${reckoned}`);
      }),
      { numRuns: 2_000 },
    );
  });

  it('reckons close to what amqplib writes, so that the cap is worth what it says', () => {
    const headers: Headers = {
      text: 'x'.repeat(1_000),
      flag: true,
      nested: { list: ['a', 'bc'], at: new Date(0) },
    };
    assert.equal(reckonedBytes(headers), encoded(headers).length);
  });

  it('accepts headers up to the cap and refuses one byte more', () => {
    const overhead = encoded({ h: '' }).length;
    checkHeaders({ h: 'x'.repeat(HEADERS_CAP_BYTES - overhead) });
    assert.throws(
      () => checkHeaders({ h: 'x'.repeat(HEADERS_CAP_BYTES - overhead + 1) }),
      (error) => error instanceof MessageTooLargeError && error.message.includes('the cap is 32768'),
    );
    assert.throws(() => checkHeaders({ h: 'ö'.repeat(HEADERS_CAP_BYTES / 2) }), MessageTooLargeError);
  });

  it('refuses what AMQP cannot carry, and names where it is', () => {
    const table: [Headers, RegExp][] = [
      [odd(1n), /^expected headers\.odd to be .*, got a bigint$/],
      [odd(Symbol('s')), /headers\.odd .* got a symbol$/],
      [odd(() => {}), /headers\.odd .* got a function$/],
      [odd(Number.NaN), /^expected headers\.odd to be a finite number that fits 64 bits, got NaN$/],
      [odd(Number.NEGATIVE_INFINITY), /got -Infinity$/],
      [odd(-1e300), /that fits 64 bits, got -1e\+300$/],
      [odd(2 ** 51 + 0.5), /that fits 64 bits, got 2251799813685248\.5$/],
      [odd(new Date(Number.NaN)), /headers\.odd to be a date since 1970/],
      [odd(new Date(-1)), /headers\.odd to be a date since 1970/],
      [odd([undefined]), /headers\.odd\[0\] .* got a undefined$/],
      [odd(new Array(1)), /headers\.odd\[0\] .* got a undefined$/],
      [odd({ '!': 'nonsense', value: 1 }), /headers\.odd .* reserves/],
      [odd({ '!': 'timestamp' }), /headers\.odd .* reserves/],
      [odd({ a: [1, { b: 2n }] }), /headers\.odd\.a\[1\]\.b .* got a bigint$/],
      [{ ['n'.repeat(256)]: 'x' }, /headers\.n{20}… to be a name of at most 255 bytes, got 256 bytes$/],
    ];
    for (const [headers, reason] of table) {
      assert.throws(
        () => checkHeaders(headers),
        (error) => {
          assert.ok(error instanceof InvalidMessageError, String(error));
          assert.match(error.message, reason);
          return true;
        },
      );
    }
  });

  it('refuses a cycle, and what is nested too deeply to be anything else', () => {
    const nested = (levels: number): unknown => (levels === 1 ? 'x' : [nested(levels - 1)]);
    checkHeaders(odd(nested(16)));
    assert.throws(() => checkHeaders(odd(nested(17))), InvalidMessageError);
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const list: unknown[] = [];
    list.push(list);
    for (const value of [cycle, list]) {
      assert.throws(() => checkHeaders(odd(value)), /at most 16 levels deep, got more \(a cycle\?\)/);
    }
  });

  it('never shows a value', () => {
    for (const value of [{ secret: 'canary', bad: 1n }, ['canary', 1n]]) {
      assert.throws(
        () => checkHeaders(odd(value)),
        (error) => error instanceof InvalidMessageError && !error.message.includes('canary'),
      );
    }
  });

  it('takes undefined for a header that is left out, as amqplib does', () => {
    checkHeaders(odd(undefined));
    assert.deepEqual({ ...decoded(encoded(odd(undefined))) }, {});
  });
});

describe("a publisher's headers", () => {
  it("leave without Hopline's own and without the broker's", () => {
    const broker = [
      ...['x-death', 'x-first-death-queue', 'x-first-death-reason', 'x-first-death-exchange'],
      ...['x-last-death-queue', 'x-delivery-count', 'x-acquired-count'],
    ];
    const kept = ['x-request-id', 'x-deaths', 'my-x-death', 'hoplined', 'traceparent', 'CC'];
    const names = [...broker, ...Object.values(HEADER), 'hopline-whatever', ...kept];
    const headers = Object.fromEntries(names.map((name) => [name, 'value']));
    assert.deepEqual(Object.keys(publisherHeaders(headers)).sort(), kept.sort());
    for (const name of broker) assert.equal(isBrokerHeader(name), true, name);
    for (const name of kept) assert.equal(isBrokerHeader(name), false, name);
  });

  it('are copied: changing the copy changes nothing for the caller', () => {
    const given: Headers = { a: 1 };
    publisherHeaders(given).b = 2;
    assert.deepEqual(given, { a: 1 });
  });

  it('with a moment that no Date can hold are passed on as they came', () => {
    for (const value of [8_640_000_000_001, 2 ** 62]) {
      const odd = { '!': 'timestamp', value };
      const received = decoded(encoded({ at: odd, list: [odd] }));
      assert.deepEqual({ ...received }, { at: odd, list: [odd] });
      assert.deepEqual(encoded(received), encoded({ at: odd, list: [odd] }));
    }
  });

  it('called __proto__ are only headers, on both sides of the wire', () => {
    const hostile = JSON.parse(
      '{"__proto__":{"isAdmin":true},"nested":{"__proto__":{"isAdmin":true}}}',
    ) as Headers;
    checkHeaders(hostile);
    const sent = publisherHeaders(hostile);
    assert.equal(Object.getPrototypeOf(sent), null);
    assert.deepEqual(Object.keys(sent), ['__proto__', 'nested']);

    const received = decoded(encoded(sent));
    assert.equal(Object.getPrototypeOf(received), null);
    assert.equal((received as { isAdmin?: unknown }).isAdmin, undefined);
    const nested = received.nested as object;
    assert.equal(Object.getPrototypeOf(nested), null);
    assert.equal((nested as { isAdmin?: unknown }).isAdmin, undefined);
    assert.equal(({} as { isAdmin?: unknown }).isAdmin, undefined);
  });
});
