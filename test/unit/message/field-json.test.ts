import assert from 'node:assert/strict';
import fc from 'fast-check';
import { entriesJson, entriesOfJson } from '../../../src/message/wire/field-json.js';
import { entriesIn, entryBytes, headersOf } from '../../../src/message/wire/fields.js';
import { receivedHeaders } from '../../../src/transport/amqp/values.js';
import { TableReader } from '../../../src/transport/amqp/wire/table-reader.js';
import { anyWildHeaders, type WildHeader, wildTable } from '../../support/wild-message.js';

const entriesOf = (headers: readonly WildHeader[]) => {
  const bytes = wildTable(headers);
  return entriesIn(bytes, 4, bytes.length);
};

const one = (value: string | Buffer) => entriesOf([{ name: Buffer.from('a'), value: Buffer.from(value) }]);
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const jsonOf = (value: string | Buffer, isForEyes = false) =>
  (entriesJson(one(value), { isForEyes }) as { a: unknown }).a;

describe('headers in JSON', () => {
  it('are byte for byte what they were once they are read again, whatever their types, texts and names are', () => {
    fc.assert(
      fc.property(anyWildHeaders, (headers) => {
        const json = JSON.parse(JSON.stringify(entriesJson(entriesOf(headers))));
        assert.deepEqual(entryBytes(entriesOfJson(json)), wildTable(headers).subarray(4));
      }),
      { numRuns: 3_000 },
    );
  });

  it('have the values that a delivery has', () => {
    const reader = new TableReader();
    fc.assert(
      fc.property(anyWildHeaders, (headers) => {
        const bytes = wildTable(headers);
        assert.deepEqual(headersOf(entriesOf(headers)), receivedHeaders(reader.read(bytes, 4, bytes.length)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('are plain where that says all, and say their type where it does not', () => {
    const expected: [Buffer, unknown, unknown?][] = [
      [hex('53 00000002 6869'), 'hi'],
      [hex('53 00000001 ff'), { $text: '/w==' }],
      [hex('62 05'), 5],
      [hex('49 00000005'), { $int32: 5 }, 5],
      [hex('49 00010000'), 65_536],
      [hex('42 c8'), { $uint8: 200 }, 200],
      [hex('69 ffffffff'), { $uint32: 4_294_967_295 }, 4_294_967_295],
      [hex('6c 0020000000000001'), { $int64: '9007199254740993' }],
      [hex('6c 7fffffffffffffff'), { $int64: '9223372036854775807' }],
      [hex('4c 0000000000000005'), { $int64L: 5 }, 5],
      [hex('66 3f000000'), { $float: 0.5 }, 0.5],
      [hex('64 3fe0000000000000'), 0.5],
      [hex('64 8000000000000000'), { $double: '-0' }],
      [hex('66 7fc00001'), { $float: '0x7fc00001' }],
      [hex('44 02 ffffff83'), { $decimal: '-1.25' }],
      [hex('54 0000000000000000'), { $date: '1970-01-01T00:00:00.000Z' }],
      [hex('54 ffffffffffffffff'), { $timestamp: '18446744073709551615' }],
      [hex('78 00000001 ff'), { $bytes: '/w==' }],
      [hex('56'), null],
      [hex('74 01'), true],
      [hex('41 00000004 6205 7400'), [5, false]],
      [hex('46 00000008 05 24696e7438 6205'), { $table: { $int8: 5 } }],
    ];
    for (const [bytes, exact, forEyes = exact] of expected) {
      assert.deepEqual(jsonOf(bytes), exact);
      assert.deepEqual(jsonOf(bytes, true), forEyes);
    }
  });

  it('that nobody has written so are refused, by name', () => {
    const wrong: [unknown, RegExp][] = [
      [{ a: { $int8: 128 } }, /128 does not fit \$int8/],
      [{ a: { $uint8: -1 } }, /-1 does not fit \$uint8/],
      [{ a: { $int64: '9223372036854775808' } }, /does not fit/],
      [{ a: { $int32: 'x' } }, /\$int32 to be a whole number/],
      [{ a: { $truth: 'x' } }, /\$truth to be a whole number/],
      [{ a: { $truth: 256 } }, /256 does not fit \$truth/],
      [{ a: { $float: 1e300 } }, /1e\+300 does not fit \$float/],
      [{ a: { $double: 'x' } }, /\$double to be a number/],
      [{ a: { $decimal: '1,5' } }, /\$decimal/],
      [{ a: { $date: 'tomorrow' } }, /'tomorrow' is no date/],
      [{ a: { $what: 1 } }, /no type '\$what'/],
      [{ ['n'.repeat(256)]: 1 }, /longer than 255/],
      [[['a']], /a name and a value/],
      [[[1, 2]], /expected a text/],
      ['a', /expected headers to be an object/],
      [null, /expected headers to be an object/],
    ];
    for (const [json, message] of wrong) assert.throws(() => entriesOfJson(json), message);
  });
});
