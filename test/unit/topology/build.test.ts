import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { HandlerDefinition } from '../../../src/consume/handlers/definition.js';
import { planSubscriptions, queueNeeds } from '../../../src/consume/handlers/subscription.js';
import type { RetryOptions } from '../../../src/retry/policy.js';
import { planBus } from '../../../src/topology/build.js';
import type { QueueNeeds } from '../../../src/topology/bus-topology.js';
import { planDelays } from '../../../src/topology/delays.js';
import { Names } from '../../../src/topology/names.js';
import { consumersPart, lastingPart, type TopologyPlan } from '../../../src/topology/plan.js';

const names = new Names();
const events = { name: 'hopline.events', declare: true };

const needs = (given: Partial<QueueNeeds> = {}): QueueNeeds => ({
  name: 'mailer',
  kind: 'work',
  lanes: ['default'],
  type: 'quorum',
  deliveryLimit: 20,
  maxPriority: undefined,
  bindings: [{ exchange: events, pattern: 'email.*' }],
  ...given,
});

/** A plan as lines that a reviewer can read. */
function lines({ exchanges, queues, bindings }: TopologyPlan): string[] {
  return [
    ...exchanges.map(
      ({ name, type, verifyOnly }) => `exchange ${name} ${type}${verifyOnly ? ', only checked' : ''}`,
    ),
    ...queues.map(({ name, arguments: args }) => `queue ${name} ${JSON.stringify(args).replaceAll('"', '')}`),
    ...bindings.map(({ source, destination, pattern }) => `bind ${source} -> ${destination}: ${pattern}`),
  ];
}

const DEAD = '{x-queue-type:quorum,x-delivery-limit:1000000000}';

describe('the plan of a bus', () => {
  it('without handlers is its exchange and the delays', () => {
    const { own, delays } = planBus(names, { exchanges: [events], queues: [], delays: true });
    assert.deepEqual(lines(own), ['exchange hopline.events topic']);
    assert.deepEqual(delays, planDelays(names));
  });

  it('gives a quorum queue its dead letters, its retries and its bindings, undelayed and delayed', () => {
    assert.deepEqual(lines(planBus(names, { exchanges: [events], queues: [needs()], delays: true }).own), [
      'exchange hopline.events topic',
      'exchange hopline.dead direct',
      `queue mailer.dead ${DEAD}`,
      'queue mailer {x-queue-type:quorum,x-delivery-limit:20,x-dead-letter-exchange:hopline.dead,' +
        'x-dead-letter-routing-key:mailer,x-dead-letter-strategy:at-least-once,x-overflow:reject-publish}',
      'bind hopline.dead -> mailer.dead: mailer',
      'bind hopline.delay.1.out -> mailer: *.*.*.*.*.*.q.mailer',
      'bind hopline.events -> mailer: email.*',
      'bind hopline.delay.1.out -> mailer: *.*.*.*.*.*.e.hopline/events.email.*',
      'bind hopline.delay.1.out -> mailer: *.*.*.*.*.*.c.hopline/events.email.*',
    ]);
  });

  it('gives requests a queue that goes with its consumers, without dead letters and without delays', () => {
    for (const type of ['classic', 'quorum'] as const) {
      const requests = needs({ kind: 'requests', name: 'mailer.requests', type });
      const { own } = planBus(names, { exchanges: [events], queues: [requests], delays: true });
      const limit = type === 'quorum' ? 'x-delivery-limit:20,' : '';
      assert.deepEqual(lines(own), [
        'exchange hopline.events topic',
        `queue mailer.requests {x-queue-type:${type},${limit}x-expires:10000}`,
        'bind hopline.events -> mailer.requests: email.*',
      ]);
      assert.deepEqual(lines(lastingPart(own)), ['exchange hopline.events topic']);
      assert.deepEqual(consumersPart(own, 'mailer.requests')?.bindings, own.bindings);
      assert.equal(consumersPart(own, 'mailer'), undefined);
    }
  });

  it('hangs a classic queue on the delays through a quorum queue of its own, so that it can not stall a level', () => {
    assert.deepEqual(
      lines(planBus(names, { exchanges: [events], queues: [needs({ type: 'classic' })], delays: true }).own),
      [
        'exchange hopline.events topic',
        'exchange hopline.dead direct',
        'exchange hopline.land direct',
        `queue mailer.dead ${DEAD}`,
        'queue mailer {x-queue-type:classic,x-dead-letter-exchange:hopline.dead,x-dead-letter-routing-key:mailer}',
        'queue mailer.land {x-queue-type:quorum,x-message-ttl:0,x-dead-letter-exchange:hopline.land,' +
          'x-dead-letter-routing-key:mailer,x-dead-letter-strategy:at-least-once,x-overflow:reject-publish}',
        'bind hopline.dead -> mailer.dead: mailer',
        'bind hopline.land -> mailer: mailer',
        'bind hopline.delay.1.out -> mailer.land: *.*.*.*.*.*.q.mailer',
        'bind hopline.events -> mailer: email.*',
        'bind hopline.delay.1.out -> mailer.land: *.*.*.*.*.*.e.hopline/events.email.*',
        'bind hopline.delay.1.out -> mailer.land: *.*.*.*.*.*.c.hopline/events.email.*',
      ],
    );
  });

  it('gives each lane a queue and an exchange of its own, and all of them one dead-letter queue', () => {
    const work = (queue: string) =>
      `queue ${queue} {x-queue-type:quorum,x-delivery-limit:20,x-dead-letter-exchange:hopline.dead,` +
      `x-dead-letter-routing-key:${queue},x-dead-letter-strategy:at-least-once,x-overflow:reject-publish}`;
    assert.deepEqual(
      lines(
        planBus(names, { exchanges: [events], queues: [needs({ lanes: ['high', 'default'] })], delays: true })
          .own,
      ),
      [
        'exchange hopline.events topic',
        'exchange hopline.events.lane.high topic',
        'exchange hopline.dead direct',
        `queue mailer.dead ${DEAD}`,
        work('mailer.high'),
        work('mailer'),
        'bind hopline.dead -> mailer.dead: mailer.high',
        'bind hopline.delay.1.out -> mailer.high: *.*.*.*.*.*.q.mailer.high',
        'bind hopline.events.lane.high -> mailer.high: email.*',
        'bind hopline.delay.1.out -> mailer.high: *.*.*.*.*.*.e.hopline/events/lane/high.email.*',
        'bind hopline.delay.1.out -> mailer.high: *.*.*.*.*.*.c.hopline/events/lane/high.email.*',
        'bind hopline.dead -> mailer.dead: mailer',
        'bind hopline.delay.1.out -> mailer: *.*.*.*.*.*.q.mailer',
        'bind hopline.events -> mailer: email.*',
        'bind hopline.delay.1.out -> mailer: *.*.*.*.*.*.e.hopline/events.email.*',
        'bind hopline.delay.1.out -> mailer: *.*.*.*.*.*.c.hopline/events.email.*',
      ],
    );
  });

  it('lands what comes to a classic lane from the delays in a queue of that lane', () => {
    const { own } = planBus(names, {
      exchanges: [events],
      queues: [needs({ type: 'classic', lanes: ['default', 'low'] })],
      delays: true,
    });
    assert.deepEqual(
      own.queues.map(({ name }) => name),
      ['mailer.dead', 'mailer', 'mailer.land', 'mailer.low', 'mailer.low.land'],
    );
    const toLow = lines(own).filter((line) => line.includes('mailer.low'));
    assert.ok(toLow.includes('bind hopline.land -> mailer.low: mailer.low'));
    assert.ok(toLow.includes('bind hopline.delay.1.out -> mailer.low.land: *.*.*.*.*.*.q.mailer.low'));
  });

  it("lets a lane's exchange belong to whoever the plain exchange belongs to", () => {
    const bindings = [{ exchange: { name: 'legacy', declare: false }, pattern: 'a' }];
    const { own } = planBus(names, {
      exchanges: [events],
      queues: [needs({ bindings, lanes: ['high', 'default'] })],
      delays: true,
    });
    assert.deepEqual(
      own.exchanges.filter(({ verifyOnly }) => verifyOnly).map(({ name }) => name),
      ['legacy.lane.high', 'legacy'],
    );
  });

  it('says priorities as an argument to classic queues only: a quorum queue refuses it', () => {
    const workQueue = (type: 'classic' | 'quorum') =>
      planBus(names, {
        exchanges: [events],
        queues: [needs({ type, maxPriority: 7 })],
        delays: true,
      }).own.queues.find(({ name }) => name === 'mailer');
    assert.equal(workQueue('classic')?.arguments['x-max-priority'], 7);
    assert.equal('x-max-priority' in (workQueue('quorum')?.arguments ?? {}), false);
    assert.equal(workQueue('quorum')?.maxPriority, 7);
  });

  it("only checks an exchange that is someone else's, unless somebody on the bus declares it", () => {
    const foreign = { name: 'legacy', declare: false };
    const both = [
      { exchange: foreign, pattern: 'a' },
      { exchange: { name: 'legacy', declare: true }, pattern: 'b' },
    ];
    const exchanges = (bindings: QueueNeeds['bindings']) =>
      planBus(names, { exchanges: [events], queues: [needs({ bindings })], delays: true }).own.exchanges;
    assert.deepEqual(exchanges([{ exchange: foreign, pattern: 'order.#' }]), [
      { name: 'hopline.events', type: 'topic' },
      { name: 'legacy', type: 'topic', verifyOnly: true },
      { name: 'hopline.dead', type: 'direct' },
    ]);
    for (const bindings of [both, both.toReversed()]) {
      assert.deepEqual(exchanges(bindings)[1], { name: 'legacy', type: 'topic' });
    }
    assert.deepEqual(planBus(names, { exchanges: [foreign], queues: [], delays: true }).own.exchanges, [
      { name: 'legacy', type: 'topic', verifyOnly: true },
    ]);
  });

  it('uses the prefix for its own exchanges and the queue names as they are', () => {
    const shop = new Names('shop');
    const { own } = planBus(shop, {
      exchanges: [{ name: shop.events, declare: true }],
      queues: [needs({ type: 'classic', bindings: [] })],
      delays: true,
    });
    assert.deepEqual(
      own.exchanges.map(({ name }) => name),
      ['shop.events', 'shop.dead', 'shop.land'],
    );
    assert.deepEqual(
      own.queues.map(({ name }) => name),
      ['mailer.dead', 'mailer', 'mailer.land'],
    );
  });

  it('declares dead-letter routes before the queues that name them', () => {
    const { own } = planBus(names, {
      exchanges: [events],
      queues: [needs(), needs({ name: 'other', type: 'classic' })],
      delays: true,
    });
    const order = own.queues.map(({ name }) => name);
    for (const queue of ['mailer', 'other']) {
      assert.ok(order.indexOf(`${queue}.dead`) < order.indexOf(queue));
    }
  });
});

describe("a work queue's arguments", () => {
  const handler = (
    options: HandlerDefinition['options'],
    queue: HandlerDefinition['queue'],
  ): HandlerDefinition => ({
    name: 'onPlaced',
    patterns: ['order.placed'],
    queue,
    options,
    handle: () => {},
  });

  const planned = (
    definition: HandlerDefinition,
    defaults: { timeoutMs: number; concurrency: number; retry: RetryOptions | undefined },
  ) => {
    const subscriptions = planSubscriptions([definition], {
      service: 'billing',
      exchange: events,
      hasInbox: false,
      hasCheckpoints: true,
      hasSemaphores: true,
      ...defaults,
    });
    return planBus(names, { exchanges: [events], queues: subscriptions.map(queueNeeds), delays: true });
  };

  it('hold nothing that a user may want to change later: no policy, timeout or concurrency shows in the plan', () => {
    const quiet = { timeoutMs: 60_000, concurrency: 10, retry: undefined };
    const plain = planned(handler({}, {}), quiet);
    const retry: fc.Arbitrary<RetryOptions> = fc.record(
      {
        tries: fc.integer({ min: 1, max: 100 }),
        backoff: fc.constantFrom('1s', ['1s', '5m'], 0, { exponential: { first: '1s' } }),
        jitter: fc.double({ min: 0, max: 1, noNaN: true }),
        maxExceptions: fc.integer({ min: 1, max: 10 }),
        retryFor: fc.constantFrom('1h', '7d'),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<RetryOptions>;
    const count = fc.integer({ min: 1, max: 1_000 });
    fc.assert(
      fc.property(
        retry,
        retry,
        fc.integer({ min: 1, max: 100_000 }),
        count,
        count,
        (own, ofBus, timeout, concurrency, prefetch) => {
          const tuned = planned(handler({ retry: own, timeout, concurrency }, { concurrency, prefetch }), {
            timeoutMs: timeout + 1,
            concurrency,
            retry: ofBus,
          });
          assert.deepEqual(tuned, plain);
        },
      ),
    );
  });

  it('are the same for the same handlers, whenever they are planned', () => {
    const once = () => planned(handler({}, {}), { timeoutMs: 1, concurrency: 1, retry: undefined });
    assert.deepEqual(once(), once());
  });
});
