import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidMessageError, UndecodableError } from '../../../src/errors.js';
import { json } from '../../../src/serialization/json.js';

const CANARY = 'canary-81d2';

function decode(body: string | Buffer | number[], contentType?: string, contentEncoding?: string): unknown {
  return json.deserialize(Buffer.from(body as string), contentType, contentEncoding);
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
        const body = json.serialize(payload);
        assert.deepEqual(
          json.deserialize(body, json.contentType, undefined),
          JSON.parse(JSON.stringify(payload)),
        );
      }),
    );
  });

  it('are raw: any client reads them, no envelope', () => {
    assert.equal(json.serialize({ userId: 123 }).toString(), '{"userId":123}');
    assert.equal(json.serialize('größe').toString('utf8'), '"größe"');
    assert.equal(json.serialize(null).toString(), 'null');
    assert.equal(json.contentType, 'application/json');
  });

  it('are read with any JSON content type, or none', () => {
    const types = [
      ...[undefined, '', 'application/json', 'text/json', 'APPLICATION/JSON', 'application/problem+json'],
      ...['application/vnd.acme.order+json; charset=utf-8', 'application/json;charset="UTF-8"'],
      ...['application/json; charset=utf8', 'application/json; profile=x; charset=utf-8; q=1'],
    ];
    for (const type of types) assert.deepEqual(decode('{"a":1}', type), { a: 1 }, type);
    for (const encoding of [undefined, '', 'utf-8', 'UTF8', 'identity']) {
      assert.deepEqual(decode('{"a":1}', 'application/json', encoding), { a: 1 }, encoding);
    }
  });

  it('with another content type are not guessed at', () => {
    const types = [
      'text/xml',
      'text/plain',
      'application/octet-stream',
      'application/jsonx',
      'json',
      'application/json-seq',
    ];
    for (const type of types) {
      assertUndecodable(() => decode('{}', type), new RegExp(`its content type is '${type}', not JSON$`));
    }
    assertUndecodable(() => decode('{}', 'x'.repeat(200)), /its content type is 'x{57}\.\.\.'/);
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

  it('that are compressed are not inflated unasked', () => {
    for (const encoding of ['gzip', 'deflate', 'br', 'utf-16', 'gzip, utf-8']) {
      assertUndecodable(
        () => decode('{}', 'application/json', encoding),
        new RegExp(`its content encoding is '${encoding}'; nothing is inflated$`),
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
        () => json.deserialize(Buffer.from(body, 'latin1'), undefined, undefined),
        (error) => {
          assert.ok(error instanceof UndecodableError);
          assert.doesNotMatch(`${error.message} ${error.help} ${error.cause}`, new RegExp(CANARY));
          return true;
        },
      );
    }
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
        () => json.serialize(payload),
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
