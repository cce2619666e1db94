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

  describe('for what is sent to the queue itself', () => {
    const names = ['q', 'q.high'];
    const byName =
      (...handlers: ReturnType<typeof handler>[]) =>
      (exchange: string, key: string) =>
        new Registry(handlers, names).find(exchange, key)?.handler.name;

    it('finds the only handler by the names of the queue, behind the default exchange alone', () => {
      const find = byName(handler('orders', ['order.*']));
      assert.deepEqual([find('', 'q'), find('', 'q.high')], ['orders', 'orders']);
      assert.deepEqual([find('hopline.events', 'q'), find('', 'other')], [undefined, undefined]);
    });

    it('finds none of several, unless a pattern matches', () => {
      assert.equal(byName(handler('a', ['a.*']), handler('b', ['b.*']))('', 'q'), undefined);
      assert.equal(byName(handler('a', ['a.*']), handler('rest', ['#']))('', 'q'), 'rest');
    });

    it('validates it by the definition, if the handler has just one', () => {
      const exchange = { name: 'hopline.events', declare: true };
      const [placed, paid] = [defineMessage('order.placed'), defineMessage('order.paid')];
      const routes = [placed, paid].map((definition) => ({ pattern: definition.key, exchange, definition }));
      const only = new Registry([handler('one', [], { routes: routes.slice(0, 1) })], names);
      assert.equal(only.find('', 'q')?.definition, placed);
      assert.equal(new Registry([handler('two', [], { routes })], names).find('', 'q'), undefined);
    });
  });
});
