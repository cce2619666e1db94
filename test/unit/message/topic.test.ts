import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compareSpecificity, TopicTrie, topicMatches } from '../../../src/message/routing/topic.js';
import { keyArbitrary, patternArbitrary, referenceMatches } from '../reference-topic.js';

describe('topic matching', () => {
  /** Pattern, keys it matches, keys it doesn't. */
  const table: [string, string[], string[]][] = [
    ['order.placed', ['order.placed'], ['order', 'order.placed.eu', 'Order.placed', 'order.place']],
    ['order.*', ['order.placed', 'order.'], ['order', 'order.placed.eu', 'xorder.placed']],
    ['*', ['order', ''], ['order.placed', '.']],
    ['*.*', ['a.b', '.'], ['a', 'a.b.c']],
    ['#', ['order', 'order.placed', '', '.', 'a..b'], []],
    ['order.#', ['order', 'order.placed', 'order.placed.eu', 'order.'], ['orders', 'x.order']],
    ['#.placed', ['placed', 'order.placed', 'eu.order.placed'], ['placed.eu', 'misplaced']],
    ['order.#.eu', ['order.eu', 'order.placed.eu', 'order.a.b.eu'], ['order', 'order.eu.x', 'eu']],
    ['*.#', ['a', 'a.b', ''], []],
    ['#.*', ['a', 'a.b', ''], []],
    ['#.#', ['a', 'a.b.c', ''], []],
    ['*.#.*', ['a.b', 'a.b.c', '.'], ['a', '']],
    ['a.*.#.b', ['a.x.b', 'a.b.b', 'a.x.y.b'], ['a.b', 'a.x']],
    ['#.a.#.b', ['a.b', 'x.a.y.b', 'a.a.b.b'], ['a', 'b', 'b.a']],
    ['a..b', ['a..b'], ['a.b', 'a.x.b']],
    ['a*', ['a*'], ['ab', 'a']],
  ];
  for (const [pattern, matching, others] of table) {
    it(`gives '${pattern}' what the protocol gives it`, () => {
      for (const key of matching) {
        assert.equal(topicMatches(pattern, key), true, key);
        assert.equal(referenceMatches(pattern, key), true, `the reference, ${key}`);
      }
      for (const key of others) {
        assert.equal(topicMatches(pattern, key), false, key);
        assert.equal(referenceMatches(pattern, key), false, `the reference, ${key}`);
      }
    });
  }

  it('finds exactly the patterns that match one by one, among many in one trie', () => {
    fc.assert(
      fc.property(fc.array(patternArbitrary, { maxLength: 20 }), keyArbitrary, (patterns, key) => {
        const trie = new TopicTrie<number>();
        patterns.forEach((pattern, index) => {
          trie.add(pattern, index);
        });
        const expected = patterns.flatMap((pattern, index) =>
          referenceMatches(pattern, key) ? [index] : [],
        );
        assert.deepEqual([...trie.match(key)].sort(byNumber), expected);
      }),
      { numRuns: 3_000 },
    );
  });

  it('takes no more time for many # than for the words and the pattern', () => {
    const key = 'a.'.repeat(120).slice(0, -1);
    for (const pattern of ['#.a.#.a.#.a.#.a.#.a.#.a.b', `${'#.*.'.repeat(60)}b`, `${'#.'.repeat(100)}b`]) {
      const began = performance.now();
      assert.equal(topicMatches(pattern, key), false, pattern);
      assert.equal(topicMatches(pattern, `${key}.b`), true, pattern);
      const ms = performance.now() - began;
      assert.ok(ms < 500, `${pattern}: ${ms} ms`);
    }
  });

  it("takes a wildcard in a foreign publisher's key for a word like any other", () => {
    assert.equal(topicMatches('order.*', 'order.*'), true);
    assert.equal(topicMatches('order.placed', 'order.*'), false);
    assert.equal(topicMatches('order.#', 'order.#'), true);
    assert.equal(topicMatches('#.a', '#'), false);
    assert.equal(topicMatches('*.a', '#.a'), true);
    assert.equal(topicMatches('order.*', 'order.#'), true);
    assert.equal(topicMatches('*', '#'), true);
  });

  it('tells each value once, however many ways lead to it', () => {
    const trie = new TopicTrie<string>();
    for (const pattern of ['#', '#.#', 'a.#', '#.a', 'a']) trie.add(pattern, 'only');
    assert.deepEqual([...trie.match('a')], ['only']);
  });

  it('knows words that are names of object properties only when they were added', () => {
    const trie = new TopicTrie<string>();
    trie.add('constructor.__proto__', 'odd');
    assert.deepEqual([...trie.match('constructor.__proto__')], ['odd']);
    assert.deepEqual([...trie.match('toString')], []);
  });
});

describe('the order of patterns', () => {
  it('puts the narrowest first: a literal, then *, then the end, then #, word by word from the left', () => {
    const narrowestFirst = [
      'github.issues.opened',
      'github.issues.*',
      'github.issues',
      'github.issues.#',
      'github.*.opened',
      'github.*',
      'github',
      'github.#.opened',
      'github.#',
      '*.issues',
      '*',
      '#.opened',
      '#',
    ];
    assert.deepEqual(narrowestFirst.toReversed().sort(compareSpecificity), narrowestFirst);
    assert.deepEqual(narrowestFirst.toSorted(compareSpecificity), narrowestFirst);
  });

  it('decides by the leftmost difference, whatever follows', () => {
    assert.ok(compareSpecificity('a.#', '*.b.c.d') < 0);
    assert.ok(compareSpecificity('a.*.c', 'a.b.#') > 0);
  });

  it('is total: only identical patterns are equal', () => {
    fc.assert(
      fc.property(patternArbitrary, patternArbitrary, (left, right) => {
        assert.equal(compareSpecificity(left, right) === 0, left === right);
        assert.equal(
          Math.sign(compareSpecificity(left, right)) + Math.sign(compareSpecificity(right, left)),
          0,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('is transitive, so that sorting has one result, whatever the order of registration', () => {
    fc.assert(
      fc.property(patternArbitrary, patternArbitrary, patternArbitrary, (a, b, c) => {
        const [first, second, third] = [a, b, c].sort(compareSpecificity) as [string, string, string];
        assert.ok(compareSpecificity(first, second) <= 0);
        assert.ok(compareSpecificity(second, third) <= 0);
        assert.ok(compareSpecificity(first, third) <= 0);
        assert.deepEqual([c, b, a].sort(compareSpecificity), [first, second, third]);
      }),
      { numRuns: 2_000 },
    );
  });
});

function byNumber(left: number, right: number): number {
  return left - right;
}
