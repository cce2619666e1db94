import assert from 'node:assert/strict';
import fc from 'fast-check';
import { array, optional, unknown } from 'valibot';
import { count, figure, listOf, shaped, shapeOf, text, whole } from '../../../src/util/json-shape.js';

interface Named {
  readonly name: string;
  readonly tags?: readonly string[] | undefined;
}

const named = shapeOf<Named>({ name: text, tags: optional(listOf(text)) });

describe('a shape of JSON', () => {
  it('accepts fields that it does not name, and leaves them out', () => {
    assert.deepEqual(shaped(named, { name: 'a', newer: 1 }), { name: 'a' });
    assert.deepEqual(shaped(named, { name: 'a', tags: ['b'] }), { name: 'a', tags: ['b'] });
  });

  it('is not that of a value with another field, or none at all', () => {
    for (const wrong of [
      null,
      undefined,
      7,
      'name',
      [],
      {},
      { name: '' },
      { name: ['a'] },
      { name: 'a', tags: 'b' },
    ])
      assert.equal(shaped(named, wrong), undefined, JSON.stringify(wrong));
  });

  it('has texts that say something, and numbers that are numbers', () => {
    const accepted = [
      [text, 'a', ''],
      [whole, 0, -1, 1.5, 2 ** 53, '0'],
      [count, 1, 0, 0.5, Number.POSITIVE_INFINITY],
      [figure, 0.5, -0.5, Number.NaN, Number.POSITIVE_INFINITY, null],
    ] as const;
    for (const [schema, right, ...wrong] of accepted) {
      assert.equal(shaped(schema, right), right);
      for (const each of wrong) assert.equal(shaped(schema, each), undefined, String(each));
    }
  });

  it('takes no prototype from a sender', () => {
    const hostile: unknown = JSON.parse(
      '{"__proto__":{"name":"a","tags":["b"]},"constructor":{"prototype":{"x":1}}}',
    );
    assert.equal(shaped(named, hostile), undefined);
    const both = shaped(named, JSON.parse('{"name":"a","__proto__":{"tags":["b"]}}'));
    assert.deepEqual(both, { name: 'a' });
    assert.equal(Object.getPrototypeOf(both), Object.prototype);
    assert.equal(both?.tags, undefined);
  });

  it('ends at the first item that is wrong, however many there are', () => {
    const items = Array.from({ length: 1_000_000 }, () => 7);
    const before = performance.now();
    assert.equal(shaped(named, { name: 'a', tags: items }), undefined);
    assert.ok(performance.now() - before < 200);
  });

  it('goes no deeper than it says', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    assert.equal(shaped(named, { name: deep }), undefined);
    assert.deepEqual(shaped(named, { name: 'a', deep }), { name: 'a' });
    assert.ok(shaped(array(unknown()), deep));
  });

  it('throws for no value', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withObjectString: true }), (value) => {
        const read = shaped(named, value);
        if (read !== undefined)
          assert.deepEqual(
            Object.keys(read).filter((key) => key !== 'tags'),
            ['name'],
          );
      }),
    );
  });
});
