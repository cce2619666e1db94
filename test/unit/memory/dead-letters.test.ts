import assert from 'node:assert/strict';
import type { Delivery } from '../../../src/transport/transport.js';
import { type Bench, exchange, openBench, quorum } from './support.js';

const atLeastOnce = { 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish' } as const;

describe('dead letters of the memory broker', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await openBench();
  });
  afterEach(() => bench.close());

  it('go from queue to queue through two exchanges, each hop on time and on record', async () => {
    await bench.declare({
      exchanges: [exchange('entry', 'fanout'), exchange('first'), exchange('second', 'direct')],
      queues: {
        wait1: quorum({ 'x-message-ttl': 1_000, 'x-dead-letter-exchange': 'first' }),
        wait2: quorum({
          'x-message-ttl': 500,
          'x-dead-letter-exchange': 'second',
          'x-dead-letter-routing-key': 'done',
        }),
        end: quorum(),
      },
      bindings: ['entry -> wait1: ', 'first -> wait2: job.#', 'second -> end: done'],
    });
    const startedAt = bench.clock.now();
    await bench.publish('entry/job.7', 'body', { headers: { mine: 1 }, expiration: '900', messageId: 'm' });
    const end = await bench.consume('end', () => {});
    await bench.clock.advance(1_399);
    assert.deepEqual(end.bodies, []);
    await bench.clock.advance(1);
    assert.deepEqual(end.bodies, ['body']);

    const { properties, exchange: from, routingKey, redelivered } = end.deliveries[0] as Delivery;
    assert.deepEqual([from, routingKey, redelivered], ['second', 'done', false]);
    assert.equal(properties.messageId, 'm');
    assert.equal(properties.expiration, undefined);
    const { 'x-death': deaths, ...headers } = properties.headers;
    assert.deepEqual(headers, {
      mine: 1,
      'x-first-death-exchange': 'entry',
      'x-first-death-queue': 'wait1',
      'x-first-death-reason': 'expired',
    });
    assert.deepEqual(
      (deaths as readonly object[]).map((entry) => ({ ...entry })),
      [
        {
          count: 1,
          reason: 'expired',
          queue: 'wait2',
          time: new Date(startedAt + 1_000),
          exchange: 'first',
          'routing-keys': ['job.7'],
        },
        {
          count: 1,
          reason: 'expired',
          queue: 'wait1',
          time: new Date(startedAt),
          exchange: 'entry',
          'routing-keys': ['job.7'],
          'original-expiration': '900',
        },
      ],
    );
  });

  it('count the deaths in one queue for one reason together', async () => {
    await bench.declare({
      exchanges: [exchange('dead', 'fanout')],
      queues: { q: quorum({ 'x-message-ttl': 10, 'x-dead-letter-exchange': 'dead' }), dead: quorum() },
      bindings: ['dead -> dead: '],
    });
    await bench.publish('/q');
    await bench.clock.advance(10);
    const [once] = await bench.taken('dead');
    await bench.publish('/q', '', { headers: (once as Delivery).properties.headers });
    await bench.clock.advance(10);
    const [twice] = await bench.taken('dead');
    const deaths = (twice as Delivery).properties.headers['x-death'] as readonly { count: number }[];
    assert.deepEqual(
      deaths.map(({ count }) => count),
      [2],
    );
  });

  it('are not routed to a queue in which they have died before, unless somebody rejected them since', async () => {
    await bench.declare({
      exchanges: [exchange('round', 'fanout')],
      queues: { q: quorum({ 'x-message-ttl': 10, 'x-dead-letter-exchange': 'round' }) },
      bindings: ['round -> q: '],
    });
    await bench.publish('/q', 'goes round');
    await bench.clock.advance(10);
    assert.deepEqual(await bench.drained('q'), []);

    const diedHere = { queue: 'back', reason: 'expired' };
    const rejected = { queue: 'other', reason: 'rejected' };
    await bench.declare({
      exchanges: [exchange('on', 'fanout')],
      queues: { start: quorum({ 'x-message-ttl': 10, 'x-dead-letter-exchange': 'on' }), back: quorum() },
      bindings: ['on -> back: '],
    });
    for (const [body, deaths] of [
      ['rejected since', [rejected, diedHere]],
      ['rejected before', [diedHere, rejected]],
      ['never rejected', [diedHere]],
    ] as const) {
      await bench.publish('/start', body, { headers: { 'x-death': deaths } });
    }
    await bench.clock.advance(10);
    assert.deepEqual(await bench.drained('back'), ['rejected since']);
  });

  describe('at most once', () => {
    it('are dropped if nothing takes them', async () => {
      await bench.declare({
        queues: { q: quorum({ 'x-message-ttl': 10, 'x-dead-letter-exchange': 'later' }) },
      });
      await bench.publish('/q', 'lost');
      await bench.clock.advance(10);
      await bench.declare({
        exchanges: [exchange('later', 'fanout')],
        queues: { dead: quorum() },
        bindings: ['later -> dead: '],
      });
      await bench.clock.advance(600_000);
      assert.deepEqual(await bench.drained('dead'), []);
    });

    it('it is too when at-least-once lacks reject-publish', async () => {
      const args = { 'x-dead-letter-strategy': 'at-least-once', 'x-dead-letter-exchange': 'later' } as const;
      await bench.declare({ queues: { q: quorum({ 'x-message-ttl': 10, ...args }) } });
      await bench.publish('/q', 'lost');
      await bench.clock.advance(10);
      assert.equal(bench.clock.armed, 0);
    });
  });

  describe('at least once', () => {
    const level = quorum({ 'x-message-ttl': 10, 'x-dead-letter-exchange': 'onward', ...atLeastOnce });

    it('wait for a binding, hold up those behind, and go on in order when it comes', async () => {
      await bench.declare({
        exchanges: [exchange('onward', 'direct')],
        queues: { level, known: quorum(), late: quorum() },
        bindings: ['onward -> known: known'],
      });
      await bench.declare({ exchanges: [exchange('in', 'fanout')], bindings: ['in -> level: '] });
      await bench.publish('in/late', '1');
      await bench.publish('in/known', '2');
      await bench.clock.advance(1_000);
      assert.deepEqual(await bench.drained('known'), []);
      assert.deepEqual(await bench.drained('level'), []);
      await bench.declare({ bindings: ['onward -> late: late'] });
      assert.deepEqual(await bench.drained('late'), ['1']);
      assert.deepEqual(await bench.drained('known'), ['2']);
      assert.equal(bench.clock.armed, 0);
    });

    it('are tried again every 180 seconds while their target is full', async () => {
      await bench.declare({
        exchanges: [exchange('onward', 'fanout')],
        queues: {
          level,
          full: quorum({ 'x-max-length': 1, 'x-overflow': 'reject-publish' }),
          roomy: quorum(),
        },
        bindings: ['onward -> full: ', 'onward -> roomy: '],
      });
      await bench.publish('/full', 'first');
      await bench.publish('/level', 'second');
      await bench.clock.advance(180_009);
      assert.deepEqual(await bench.drained('full'), ['first']);
      assert.deepEqual(await bench.drained('roomy'), []);
      await bench.clock.advance(1);
      assert.deepEqual(await bench.drained('full'), ['second']);
      assert.deepEqual(await bench.drained('roomy'), ['second']);
    });
  });
});
