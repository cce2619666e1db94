import assert from 'node:assert/strict';
import { HEADER } from '../../../src/message/headers.js';
import type { Headers } from '../../../src/message/properties.js';
import { receive } from '../../../src/pipeline/received.js';
import { Names } from '../../../src/topology/names.js';
import { received, TestDelivery } from './fixtures.js';

const AT = '2026-01-05T09:00:00.000Z';

const travelled: Headers = {
  [HEADER.exchange]: 'shop.events',
  [HEADER.routingKey]: 'order.placed',
  [HEADER.attempt]: 4,
  [HEADER.exceptions]: 3,
  [HEADER.releases]: 2,
  [HEADER.firstAttemptAt]: AT,
  [HEADER.elapsed]: 21_000,
  [HEADER.unhandledSince]: AT,
};

const fresh = {
  attempt: 1,
  exceptions: 0,
  releases: 0,
  crashes: 0,
  redelivered: false,
  follows: undefined,
  firstAttemptAt: undefined,
  elapsedMs: 0,
  unhandledSince: undefined,
  chain: undefined,
  batch: undefined,
  job: undefined,
  unique: undefined,
  replay: undefined,
  run: undefined,
  isTravelling: false,
  isPlain: true,
};

const facts = (given: ConstructorParameters<typeof TestDelivery>[0]) => {
  const { delivery: _, ...rest } = received(given);
  return rest;
};

describe('a received message', () => {
  it('is at its first attempt when it comes from where anybody may publish, whatever its headers claim', () => {
    for (const exchange of ['hopline.events', 'shop.events', 'amq.topic', 'hopline.delays', 'hopline.dead']) {
      const properties = { headers: travelled, messageId: 'm1' };
      assert.deepEqual(facts({ exchange, routingKey: 'order.paid', properties }), {
        exchange,
        routingKey: 'order.paid',
        messageId: 'm1',
        ...fresh,
      });
    }
  });

  it('continues its count when it comes through the delays, of this layout or an older one, or a landing queue', () => {
    for (const exchange of [
      'hopline.delay.1.in.s',
      'hopline.delay.1.s4',
      'hopline.delay.0.out',
      'hopline.land',
    ]) {
      assert.deepEqual(
        facts({ exchange, routingKey: '0.0.0.0.4.0.q.billing', properties: { headers: travelled } }),
        {
          exchange: 'shop.events',
          routingKey: 'order.placed',
          messageId: undefined,
          attempt: 4,
          exceptions: 3,
          releases: 2,
          crashes: 0,
          follows: undefined,
          redelivered: false,
          firstAttemptAt: Date.parse(AT),
          elapsedMs: 21_000,
          unhandledSince: Date.parse(AT),
          chain: undefined,
          batch: undefined,
          job: undefined,
          unique: undefined,
          replay: undefined,
          run: undefined,
          isTravelling: true,
          isPlain: true,
        },
      );
    }
  });

  it('is part of a replay only where nobody but Hopline says so, and if it says so in full', () => {
    const replayOf = (exchange: string, mark: Headers[string]) =>
      received({ exchange, properties: { headers: { [HEADER.replay]: mark } } });
    const mark = '{"id":"r-1","once":true}';
    for (const exchange of ['hopline.delay.1.out', 'hopline.land']) {
      const { replay, isPlain } = replayOf(exchange, mark);
      assert.deepEqual([replay, isPlain], [{ id: 'r-1' }, false]);
    }
    const bad = ['{"id":"r-1"}', '{"id":"","once":true}', '{"id":"a.b","once":true}', 'null', '{', 7];
    const others = [
      ...['hopline.events', '', 'amq.topic'].map((exchange) => [exchange, mark] as const),
      ...[...bad, `{"id":"${'r'.repeat(65)}","once":true}`].map((text) => ['hopline.land', text] as const),
    ];
    for (const [exchange, text] of others) {
      const { replay, isPlain } = replayOf(exchange, text);
      assert.deepEqual([replay, isPlain], [undefined, true], `${exchange} ${text}`);
    }
  });

  it("knows the delays by their own prefix, which may be another than the bus's", () => {
    const names = new Names('shop', 'shared');
    const attempt = (exchange: string) =>
      receive(new TestDelivery({ exchange, properties: { headers: travelled } }), names).attempt;
    assert.equal(attempt('shared.delay.1.in.s'), 4);
    assert.equal(attempt('shop.land'), 4);
    assert.equal(attempt('hopline.delay.1.in.s'), 1);
    assert.equal(attempt('hopline.land'), 1);
  });

  it("keeps its origin but gets all its tries when an operator's tool moved it through the default exchange", () => {
    assert.deepEqual(facts({ exchange: '', routingKey: 'billing', properties: { headers: travelled } }), {
      exchange: 'shop.events',
      routingKey: 'order.placed',
      messageId: undefined,
      ...fresh,
    });
    assert.equal(received({ exchange: '', routingKey: 'billing' }).routingKey, 'billing');
  });

  it('has no id if a foreign client has left that empty: it would be that of many', () => {
    for (const exchange of ['hopline.events', 'hopline.land'])
      assert.equal(received({ exchange, properties: { messageId: '' } }).messageId, undefined);
  });

  it("takes its origin from the delay's own key if a foreign publisher gave no headers", () => {
    const at = (routingKey: string) => {
      const { exchange, routingKey: key } = received({ exchange: 'hopline.delay.1.in.s', routingKey });
      return `${exchange} ${key}`;
    };
    assert.equal(at('0.0.0.0.4.0.e.shop/events.order.placed'), 'shop.events order.placed');
    assert.equal(at('0.0.0.0.4.0.c.shop/events.order'), 'shop.events order');
    assert.equal(at('0.0.0.0.4.0.q.billing'), 'hopline.delay.1.in.s 0.0.0.0.4.0.q.billing');
  });

  it('reads counters and moments that are nonsense as if they were not there', () => {
    const nonsense = [0, -3, 1.5, 2 ** 60, '4', null, true, [4], { four: 4 }];
    for (const value of nonsense) {
      const headers = {
        ...travelled,
        [HEADER.attempt]: value,
        [HEADER.firstAttemptAt]: 'yesterday',
      } as Headers;
      const { attempt, firstAttemptAt } = received({
        exchange: 'hopline.delay.1.in.s',
        properties: { headers },
      });
      assert.equal(attempt, 1, String(value));
      assert.equal(firstAttemptAt, undefined);
    }
    const headers = {
      [HEADER.exceptions]: -1,
      [HEADER.releases]: 'x',
      [HEADER.unhandledSince]: 7,
    } as Headers;
    const { exceptions, releases, unhandledSince } = received({
      exchange: 'hopline.land',
      properties: { headers },
    });
    assert.deepEqual([exceptions, releases, unhandledSince], [0, 0, undefined]);
  });

  it('needs both parts of an origin to believe it', () => {
    const headers = { [HEADER.exchange]: 'shop.events' };
    assert.equal(received({ exchange: '', routingKey: 'billing', properties: { headers } }).exchange, '');
  });
});
