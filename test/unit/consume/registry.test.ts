import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Registry } from '../../../src/consume/registry.js';
import { defineMessage } from '../../../src/message/define-message.js';
import { compareSpecificity } from '../../../src/message/topic.js';
import { keyArbitrary, patternArbitrary, referenceMatches } from '../reference-topic.js';
import { handler } from './fixtures.js';

describe('the dispatch table of a queue', () => {
  const found = (registry: Registry, key: string) => registry.find(key)?.handler.name;

  it('leads a key to the handler with the narrowest pattern, and to no other', () => {
    const registry = new Registry([
      handler('everything', ['github.#']),
      handler('issues', ['github.issues.*', 'github.issue_comment.*']),
      handler('opened', ['github.issues.opened']),
    ]);
    assert.equal(found(registry, 'github.issues.opened'), 'opened');
    assert.equal(found(registry, 'github.issues.closed'), 'issues');
    assert.equal(found(registry, 'github.issue_comment.created'), 'issues');
    assert.equal(found(registry, 'github.push'), 'everything');
    assert.equal(found(registry, 'github'), 'everything');
    assert.equal(found(registry, 'gitlab.push'), undefined);
  });

  it('does not depend on the order in which handlers were added', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(patternArbitrary, { minLength: 1, maxLength: 12 }),
        fc.array(keyArbitrary, { minLength: 1, maxLength: 10 }),
        (patterns, keys) => {
          const handlers = patterns.map((pattern) => handler(pattern, [pattern]));
          const forwards = new Registry(handlers);
          const backwards = new Registry(handlers.toReversed());
          for (const key of keys) {
            const matching = patterns.filter((pattern) => referenceMatches(pattern, key));
            const narrowest = matching.sort(compareSpecificity)[0];
            assert.equal(found(forwards, key), narrowest);
            assert.equal(found(backwards, key), narrowest);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('tells which definition validates what comes through a pattern', () => {
    const placed = defineMessage('order.placed');
    const exchange = { name: 'hopline.events', declare: true };
    const registry = new Registry([
      handler('orders', [], {
        routes: [
          { pattern: 'order.placed', exchange, definition: placed },
          { pattern: 'order.*', exchange, definition: undefined },
        ],
      }),
    ]);
    assert.equal(registry.find('order.placed')?.definition, placed);
    assert.equal(registry.find('order.paid')?.definition, undefined);
  });

  it('answers alike for the first time and for the thousandth, also for keys that nobody handles', () => {
    const registry = new Registry([handler('orders', ['order.*'])]);
    for (let round = 0; round < 3; round += 1) {
      for (let id = 0; id < 1_500; id += 1) {
        assert.equal(found(registry, `order.${id}`), 'orders');
        assert.equal(found(registry, `nobody.${id}`), undefined);
      }
    }
  });
});
