import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TableReader } from '../../../src/transport/amqp/wire/table-reader.js';
import { nested, readOf, type TypedTable, tableBytes, typedTable } from './typed-table.js';

/** What is read of a table that lies between other bytes. */
function read(entries: TypedTable, reader = new TableReader()) {
  const bytes = Buffer.concat([Buffer.alloc(3, 0xff), tableBytes(entries), Buffer.alloc(3, 0x41)]);
  return { table: reader.read(bytes, 7, bytes.length - 3), unreadable: reader.unreadable };
}

const text = (value: string): TypedTable[number][1] => ({
  read: value,
  bytes: Buffer.concat([Buffer.from([0x53, 0, 0, 0, value.length]), Buffer.from(value)]),
});

/** A tag that RabbitMQ has for nothing. */
const unknown = { read: undefined, bytes: Buffer.from('?12345') };

describe('a table of headers', () => {
  it('is read whole in every type that RabbitMQ takes, lists and tables in each other [row 47]', () => {
    const reader = new TableReader();
    fc.assert(
      fc.property(typedTable, (entries) => {
        const { table, unreadable } = read(entries, reader);
        assert.deepEqual(table, readOf(entries));
        assert.equal(unreadable, undefined);
      }),
      { numRuns: 3_000 },
    );
  });

  it('is read up to a value of a type that nobody knows, which is named [row 47]', () => {
    const { table, unreadable } = read([
      ['first', text('1')],
      ['second', unknown],
      ['third', text('3')],
    ]);
    assert.deepEqual(table, { first: '1' });
    assert.equal(unreadable, 'second');
    const inside = {
      read: undefined,
      bytes: Buffer.concat([Buffer.from('F'), tableBytes([['deep', unknown]])]),
    };
    assert.deepEqual(read([['outer', inside]]), { table: {}, unreadable: 'outer' });
    assert.equal(read([['after', text('1')]]).unreadable, undefined, 'what was before it is forgotten');
  });

  it('is read as far as a hundred levels go, and no value reaches over its end', () => {
    assert.deepEqual(read([['deep', nested(100)]]).table, { deep: nested(100).read });
    assert.deepEqual(
      read([
        ['a', text('1')],
        ['deep', nested(101)],
      ]),
      { table: { a: '1' }, unreadable: 'deep' },
    );
    const reader = new TableReader();
    for (const bytes of [
      'S\0\0\0\x09abc',
      'A\0\0\0\x09abc',
      'x\0\0\0\x09abc',
      'l123',
      'I',
      'S\0',
      'D1',
      'd1',
    ]) {
      const cut = Buffer.concat([Buffer.from([1]), Buffer.from('n'), Buffer.from(bytes)]);
      for (const behind of [0, 20]) {
        const there = Buffer.concat([cut, Buffer.alloc(behind)]);
        assert.deepEqual(reader.read(there, 0, cut.length), {}, bytes);
        assert.equal(reader.unreadable, 'n', bytes);
      }
    }
    assert.deepEqual(reader.read(Buffer.from([9, 1]), 0, 2), {});
    assert.equal(reader.unreadable, 'a header without a name');
  });

  it('never throws and never hangs, whatever its bytes are', () => {
    const reader = new TableReader();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        reader.read(Buffer.from(bytes), 0, bytes.length);
      }),
      { numRuns: 5_000 },
    );
  });
});
