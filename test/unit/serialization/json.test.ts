import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidMessageError, OptionsError, UndecodableError } from '../../../src/errors.js';
import { json } from '../../../src/serialization/json.js';
import { described } from './described.js';

const CANARY = 'canary-81d2';

const lenient = json();
const strict = json({ strict: true });

/** The types of clients that know nothing of a body. */
const SAYING_NOTHING = [
  ...[undefined, '', 'application/octet-stream', 'text/plain', 'application/data'],
  ...['text/plain; charset=utf-8', 'text/plain;charset="US-ASCII"; format=flowed', 'Text/Plain ;x=y'],
  ...['application/octet-stream; type=x', 'APPLICATION/OCTET-STREAM'],
];

function decode(
  body: string | Buffer | number[],
  contentType?: string,
  contentEncoding?: string,
  by = lenient,
): unknown {
  return by.deserialize(Buffer.from(body as string), described({ contentType, contentEncoding }));
}

function assertUndecodable(work: () => unknown, reason: RegExp): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof UndecodableError, String(error));
    assert.match(error.message, reason);
    return true;
  });
}

describe('JSON bodies', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        const body = lenient.serialize(payload);
        assert.deepEqual(decode(body, lenient.contentType), JSON.parse(JSON.stringify(payload)));
      }),
    );
  });

  it('are raw: any client reads them, no envelope', () => {
    assert.equal(lenient.serialize({ userId: 123 }).toString(), '{"userId":123}');
    assert.equal(lenient.serialize('größe').toString('utf8'), '"größe"');
    assert.equal(lenient.serialize(null).toString(), 'null');
    assert.equal(lenient.contentType, 'application/json');
  });

  it('are read with any JSON content type, or none', () => {
    const types = [
      ...[undefined, '', 'application/json', 'text/json', 'APPLICATION/JSON', 'application/problem+json'],
      ...['application/vnd.acme.order+json; charset=utf-8', 'application/json;charset="UTF-8"'],
      ...['application/json; charset=utf8', 'application/json; profile=x; charset=utf-8; q=1'],
    ];
    for (const type of types) assert.deepEqual(decode('{"a":1}', type), { a: 1 }, type);
    for (const encoding of [undefined, '', 'utf-8', 'UTF8', 'us-ascii']) {
      assert.deepEqual(decode('{"a":1}', 'application/json', encoding), { a: 1 }, encoding);
    }
  });

  it('under a type that says nothing are the same, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(...SAYING_NOTHING), (text, type) => {
        assert.deepEqual(decode(text, type), decode(text, 'application/json'));
      }),
    );
  });

  it('under a type that says nothing are refused if they are to say that they are JSON', () => {
    for (const type of [undefined, '', 'application/json; charset=utf-8', 'application/problem+json'])
      assert.deepEqual(decode('{"a":1}', type, undefined, strict), { a: 1 });
    for (const type of SAYING_NOTHING.filter(Boolean))
      assertUndecodable(() => decode('{}', type, undefined, strict), /its content type is '.*', not JSON$/);
  });

  it('with a type that says something else are not guessed at', () => {
    const types = ['text/xml', 'application/jsonx', 'json', 'application/json-seq', 'text/plainly'];
    for (const type of types) {
      assertUndecodable(() => decode('{}', type), new RegExp(`its content type is '${type}', not JSON$`));
    }
    assertUndecodable(() => decode('{}', 'x'.repeat(200)), /its content type is 'x{57}\.\.\.'/);
  });

  it('that are none say how else they may be read', () => {
    for (const [body, type] of [
      ['ON', 'text/plain'],
      ['', undefined],
      ['<a/>', 'text/xml'],
    ] as const) {
      assert.throws(
        () => decode(body, type),
        (error) => error instanceof UndecodableError && /body: 'text' or 'bytes'/.test(error.help),
      );
    }
  });

  it('that are AMQP 1.0 values are called so, and only those', () => {
    const value = Buffer.from([0x00, 0x53, 0x77, 0xa1, 0x02, 0x4f, 0x4e]);
    const message = described({ type: 'amqp-1.0', contentType: 'application/json' });
    assertUndecodable(() => lenient.deserialize(value, message), /its body is an AMQP 1\.0 value, not data$/);
    assert.deepEqual(lenient.deserialize(Buffer.from('{"a":1}'), message), { a: 1 });
  });

  it('in another charset are not guessed at', () => {
    for (const type of [
      'application/json; charset=utf-16',
      'text/json;charset=latin1',
      'application/json; charset=utf-8859',
    ]) {
      assertUndecodable(() => decode('{}', type), /its content type '.*' is not UTF-8$/);
    }
  });

  it('in an encoding that nobody has undone are refused, with those that are undone', () => {
    for (const encoding of ['compress', 'utf-16', 'snappy, utf-8']) {
      assert.throws(
        () => decode('{}', 'application/json', encoding),
        (error) => {
          assert.ok(error instanceof UndecodableError);
          assert.match(
            error.message,
            new RegExp(`content encoding is '${encoding}', which can't be decoded$`),
          );
          assert.match(error.help, /gzip, deflate, br/);
          return true;
        },
      );
    }
  });

  it('that are empty, malformed or no UTF-8 say so', () => {
    assertUndecodable(() => decode(''), /its body is empty$/);
    for (const body of ['{', '{"a":1}x', "{'a':1}", 'undefined', '{"a":1,}', ' ', 'NaN']) {
      assertUndecodable(() => decode(body), /its body is not valid JSON$/);
    }
    for (const body of [
      [0xff, 0xfe],
      [0x22, 0xc3, 0x28, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xc0, 0x80, 0x22],
    ]) {
      assertUndecodable(() => decode(body), /its body is not valid UTF-8$/);
    }
  });

  it('with a byte order mark say so, and only those', () => {
    assertUndecodable(
      () => decode([0xef, 0xbb, 0xbf, ...Buffer.from('{"a":1}')]),
      /begins with a byte order mark$/,
    );
    // Fullwidth letters begin with the same byte.
    assertUndecodable(() => decode('ｊｓｏｎ'), /its body is not valid JSON$/);
  });

  it("that can't be read are never quoted: they may hold what must not be logged", () => {
    for (const body of [`{"password":"${CANARY}"`, CANARY, `{"a":1}${CANARY}`, `${CANARY}\xff`]) {
      assert.throws(
        () => decode(Buffer.from(body, 'latin1')),
        (error) => {
          assert.ok(error instanceof UndecodableError);
          assert.doesNotMatch(`${error.message} ${error.help} ${error.cause}`, new RegExp(CANARY));
          return true;
        },
      );
    }
  });

  it('are read by options that are checked', () => {
    const options = { strict: 'yes', strikt: true } as never;
    assert.throws(() => json(options), OptionsError);
    assert.throws(() => json(options), /strict.*true or false[\s\S]*strikt|strikt[\s\S]*strict/);
  });

  it('change no prototype, whatever names they use', () => {
    const payload = decode('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}') as {
      isAdmin?: unknown;
    };
    assert.equal(payload.isAdmin, undefined);
    assert.equal(Object.getPrototypeOf(payload), Object.prototype);
    assert.equal(({} as { isAdmin?: unknown }).isAdmin, undefined);
  });

  it('are refused at the publisher for a payload that has no JSON form, with the reason', () => {
    const cycle: Record<string, unknown> = { secret: CANARY };
    cycle.self = cycle;
    const table: [unknown, RegExp][] = [
      [undefined, /a undefined has no JSON form/],
      [() => CANARY, /a function has no JSON form/],
      [Symbol(CANARY), /a symbol has no JSON form/],
      [{ id: 1n }, /BigInt/],
      [cycle, /circular/],
    ];
    for (const [payload, reason] of table) {
      assert.throws(
        () => lenient.serialize(payload),
        (error) => {
          assert.ok(error instanceof InvalidMessageError);
          assert.match(error.message, /^the payload can't be written as JSON: /);
          assert.match(error.message, reason);
          assert.doesNotMatch(error.message, new RegExp(CANARY));
          return true;
        },
      );
    }
  });
});
