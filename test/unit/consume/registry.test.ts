import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Registry } from '../../../src/consume/handlers/registry.js';
import { defineMessage } from '../../../src/message/define-message.js';
import { compareSpecificity } from '../../../src/message/routing/topic.js';
import { keyArbitrary, patternArbitrary, referenceMatches } from '../reference-topic.js';
import { handler } from './fixtures.js';

describe('the dispatch table of a queue', () => {
  const found = (registry: Registry, key: string) => registry.find('hopline.events', key)?.handler.name;

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
    assert.equal(registry.find('hopline.events', 'order.placed')?.definition, placed);
    assert.equal(registry.find('hopline.events', 'order.paid')?.definition, undefined);
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

  describe('whose handlers are on several exchanges', () => {
    const on = (exchange: string, name: string, pattern: string) =>
      handler(name, [], {
        routes: [{ pattern, exchange: { name: exchange, declare: true }, definition: undefined }],
      });
    const registry = new Registry([
      on('hopline.events', 'own', 'order.*'),
      on('shop.events', 'theirs', 'order.placed'),
      on('shop.events', 'users', 'user.#'),
    ]);
    const foundOf = (exchange: string, key: string) => registry.find(exchange, key)?.handler.name;

    it('leads to those of the exchange that the message was published to', () => {
      assert.equal(foundOf('hopline.events', 'order.placed'), 'own');
      assert.equal(foundOf('shop.events', 'order.placed'), 'theirs');
      assert.equal(foundOf('hopline.events', 'user.left'), undefined);
      assert.equal(foundOf('shop.events', 'order.paid'), undefined);
    });

    it("takes a lane's exchange for the plain one, unless a handler names it", () => {
      assert.equal(foundOf('hopline.events.lane.high', 'order.placed'), 'own');
      assert.equal(foundOf('shop.events.lane.high', 'order.placed'), 'theirs');
      const named = new Registry([on('a', 'plain', '#'), on('a.lane.high', 'named', '#')]);
      assert.equal(named.find('a.lane.high', 'k')?.handler.name, 'named');
      assert.equal(named.find('a.lane.low', 'k')?.handler.name, 'plain');
    });

    it('goes by the key alone where the exchange is none of theirs', () => {
      for (const exchange of ['', 'amq.topic', 'hopline.delay.1.s1', 'other.lane.high']) {
        assert.equal(foundOf(exchange, 'order.placed'), 'theirs');
        assert.equal(foundOf(exchange, 'order.paid'), 'own');
        assert.equal(foundOf(exchange, 'user.left'), 'users');
        assert.equal(foundOf(exchange, 'nobody'), undefined);
      }
      const twins = [on('a', 'first', 'k'), on('b', 'second', 'k')];
      assert.equal(new Registry(twins).find('', 'k')?.handler.name, 'first');
    });
  });

  it('whose handlers are on one exchange does not ask where a message comes from', () => {
    const registry = new Registry([handler('orders', ['order.*'])]);
    for (const exchange of ['hopline.events', '', 'shop.events', 'hopline.events.lane.high'])
      assert.equal(registry.find(exchange, 'order.placed')?.handler.name, 'orders');
  });
});
