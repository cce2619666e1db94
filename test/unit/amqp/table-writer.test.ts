import assert from 'node:assert/strict';
import fc from 'fast-check';
import { copyHeaders } from '../../../src/message/headers.js';
import type { Headers, HeaderValue } from '../../../src/message/properties.js';
import { TableWriter } from '../../../src/transport/amqp/wire/table-writer.js';
import { encoded } from '../message/amqplib-codec.js';

const value = fc.letrec<{ value: HeaderValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
    fc.constantFrom(2 ** 53, -(2 ** 63), 2 ** 63, 1e300, -0, 127, 128, -129, 2 ** 31, -(2 ** 31) - 1),
    fc.constant(null),
    fc.date({ min: new Date(0), noInvalidDate: true }),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ maxLength: 8 }).filter((name) => name !== '!'),
      tie('value'),
      { maxKeys: 4 },
    ),
    fc.constantFrom(
      { '!': 'timestamp', value: 8_640_000_000_001 },
      { '!': 'decimal', value: { places: 2, digits: 199 } },
    ),
  ),
})).value;

const anyHeaders = fc.dictionary(fc.string({ unit: 'binary', maxLength: 20 }), value, { maxKeys: 6 });

describe('a table of headers that is written', () => {
  it('is byte for byte what the client library writes, of values of every type', () => {
    const writer = new TableWriter();
    fc.assert(
      fc.property(anyHeaders, (headers) => {
        const table = copyHeaders(headers);
        assert.deepEqual(writer.write(table, []), encoded(table));
      }),
      { numRuns: 2_000 },
    );
  });

  it('has what is bytes already first, and nothing else of these names', () => {
    const bytes = Buffer.from('\x01aI\0\0\0\x05');
    const written = new TableWriter().write({ a: 5, b: 1 }, [{ name: 'a', bytes }]);
    assert.deepEqual(written, Buffer.concat([Buffer.from('\0\0\0\x0b'), bytes, Buffer.from('\x01bb\x01')]));
  });

  it('has of a table in it what is its own, as memory has it, and nothing of its prototype', () => {
    const given = Object.assign(Object.create({ method: () => {}, inherited: 1 }), { own: 2 });
    const [written, plain] = [given, { own: 2 }].map((inside) =>
      Buffer.from(new TableWriter().write({ inside } as Headers, [])),
    );
    assert.deepEqual(written, plain);
  });

  it('is refused by the name of the header which can not be written', () => {
    const cycle: Record<string, unknown> = {};
    cycle.again = cycle;
    const wrong: [Record<string, unknown>, RegExp][] = [
      [{ big: 1n }, /header "big" has a value that AMQP has no type for: a bigint/],
      [{ list: [undefined] }, /header "list" .* a undefined/],
      [{ not: Number.NaN }, /header "not" is NaN/],
      [{ when: new Date(-1) }, /header "when" is no date since 1970/],
      [{ odd: { '!': 'odd', value: 1 } }, /header "odd" is of a type that is not known/],
      [{ ['n'.repeat(256)]: 1 }, /longer than 255 bytes/],
      [{ text: 'x'.repeat(65_536) }, /more than the 65536 bytes/],
      [cycle, /RangeError/],
    ];
    const writer = new TableWriter();
    for (const [headers, message] of wrong)
      assert.throws(() => writer.write(headers as Headers, []), message);
    assert.deepEqual(writer.write({ a: true }, []), Buffer.from('\0\0\0\x04\x01at\x01'));
  });
});
