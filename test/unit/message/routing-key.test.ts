import assert from 'node:assert/strict';
import { InvalidMessageError } from '../../../src/errors.js';
import {
  checkRoutingKey,
  patternProblem,
  routingKeyProblem,
} from '../../../src/message/routing/routing-key.js';

const LONGEST = 'k'.repeat(255);

describe('a routing key', () => {
  it('is any text of 1 to 255 bytes without a wildcard word', () => {
    for (const key of ['order', 'order.placed', 'order..placed', '.', 'a*', '#a.b', 'größe', LONGEST]) {
      assert.equal(routingKeyProblem(key), undefined, key);
      checkRoutingKey(key);
    }
  });

  it('is refused with the reason when it is none', () => {
    const table: [unknown, RegExp][] = [
      [undefined, /^expected the routing key to be a string, got undefined$/],
      [42, /got number$/],
      ['', /^the routing key is empty$/],
      [`${LONGEST}k`, /256 bytes long, the protocol allows 255/],
      ['ö'.repeat(128), /256 bytes long/],
      ['order.*', /^the routing key 'order\.\*' holds a wildcard word; only patterns may$/],
      ['#', /holds a wildcard word/],
      ['a.#.b', /holds a wildcard word/],
    ];
    for (const [key, reason] of table) {
      assert.match(routingKeyProblem(key) ?? 'no problem', reason);
      assert.throws(
        () => checkRoutingKey(key),
        (error) => {
          assert.ok(error instanceof InvalidMessageError);
          assert.match(error.message, reason);
          assert.match(error.help, /concrete key/);
          return true;
        },
      );
    }
  });
});

describe('a pattern', () => {
  it('is any text of 1 to 255 bytes whose wildcards are whole words', () => {
    for (const pattern of ['order', '*', '#', 'a.*.#.b', 'a..b', '.', LONGEST]) {
      assert.equal(patternProblem(pattern), undefined, pattern);
    }
  });

  it('is refused when a wildcard is part of a word, since the broker would take it literally', () => {
    for (const [pattern, word] of [
      ['order.pla*', 'pla*'],
      ['**', '**'],
      ['a.##.b', '##'],
      ['*#', '*#'],
    ] as const) {
      assert.equal(
        patternProblem(pattern),
        `the pattern '${pattern}' holds '${word}': * and # are wildcards only as whole words between dots`,
      );
    }
  });

  it('is refused when it is empty, too long or no text', () => {
    assert.match(patternProblem('') ?? '', /is empty/);
    assert.match(patternProblem(`${LONGEST}k`) ?? '', /256 bytes/);
    assert.match(patternProblem(['a']) ?? '', /expected the pattern to be a string, got object/);
  });
});
