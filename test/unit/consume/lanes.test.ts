import assert from 'node:assert/strict';
import type {
  HandlerDefinition,
  LaneOptions,
  QueueOptions,
} from '../../../src/consume/handlers/definition.js';
import { strictOrder, WeightedOrder } from '../../../src/consume/handlers/lane-order.js';
import { laneOrder, lanesOf } from '../../../src/consume/handlers/lanes.js';
import { planSubscriptions } from '../../../src/consume/handlers/subscription.js';
import { problemsOf } from '../option-problems.js';
import { defaults } from './fixtures.js';

const define = (name: string, queue: QueueOptions, key = name): HandlerDefinition => ({
  name,
  patterns: [key],
  queue,
  options: {},
  handle: () => {},
});

const plan = (...definitions: HandlerDefinition[]) => planSubscriptions(definitions, defaults);

const problems = (...definitions: HandlerDefinition[]) => problemsOf(() => plan(...definitions));

describe('the lanes of a queue', () => {
  it('are queues beside it, in the order given; default is the queue itself', () => {
    const [subscription] = plan(define('A', { name: 'q', lanes: ['high', 'default', 'low'] }));
    assert.deepEqual(subscription?.lanes, [
      { name: 'high', queue: 'q.high', weight: undefined },
      { name: 'default', queue: 'q', weight: undefined },
      { name: 'low', queue: 'q.low', weight: undefined },
    ]);
  });

  it('are served strictly when they are a list, and by weight when they have them', () => {
    assert.equal(laneOrder(lanesOf('q')), strictOrder);
    assert.equal(laneOrder(lanesOf('q', ['a', 'default'])), strictOrder);
    const weighted = laneOrder(lanesOf('q', { a: 1, default: 3 }));
    assert.ok(weighted instanceof WeightedOrder);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => weighted.next([0, 1])),
      [1, 0, 1, 1],
    );
  });

  it('prefetch twice the concurrency each, unless told otherwise', () => {
    const prefetch = (queue: QueueOptions) => plan(define('A', { name: 'q', ...queue }))[0]?.prefetch;
    const lanes = ['high', 'default'];
    assert.equal(prefetch({ lanes }), 20);
    assert.equal(prefetch({ lanes, concurrency: 3 }), 6);
    assert.equal(prefetch({ lanes, concurrency: 3, prefetch: 4 }), 4);
    assert.equal(prefetch({ lanes, concurrency: 3, prefetch: 1 }), 3);
    assert.equal(prefetch({ lanes: ['default'], concurrency: 3 }), 3);
  });

  it('that cannot be are refused with the reason, all at once', () => {
    const table: [unknown, readonly RegExp[]][] = [
      ['high', [/^A: expected queue\.lanes to be a list of names such as .*, got "high"$/]],
      [['high', 5], [/^A: expected queue\.lanes to be a list of names/]],
      [['high', 'low'], [/^queue 'q': queue\.lanes has no 'default', where messages go that say no lane/]],
      [[], [/has no 'default'/]],
      [{ high: 2 }, [/has no 'default'/]],
      [['default', 'dead'], [/^queue 'q': the lane 'dead' would have the name of a queue of Hopline's own/]],
      [['default', 'land'], [/the lane 'land' would have the name/]],
      [
        ['default', 'a.b', ''],
        [/the lane "a\.b" can't be part of a queue's name/, /the lane "" can't/],
      ],
      [['default', 'x'.repeat(33)], [/use 1 to 32 letters/]],
      [['default', 'high', 'high'], [/^queue 'q': queue\.lanes names 'high' twice$/]],
      [
        { default: 0, high: 1.5, low: '3' },
        [
          /^queue 'q': expected queue\.lanes\.default to be a positive integer, got 0$/,
          /queue\.lanes\.high to be a positive integer, got 1\.5/,
          /queue\.lanes\.low to be a positive integer, got "3"/,
        ],
      ],
    ];
    for (const [lanes, reasons] of table) {
      const found = problems(define('A', { name: 'q', lanes: lanes as LaneOptions }));
      assert.equal(found.length, reasons.length, `${JSON.stringify(lanes)}: ${found.join('; ')}`);
      for (const [index, reason] of reasons.entries()) assert.match(found[index] as string, reason);
    }
  });

  it('need names that still fit into the protocol', () => {
    const lanes = ['default', 'high'];
    const long = 'q'.repeat(230);
    assert.deepEqual(problems(define('A', { name: long })), []);
    assert.match(
      problems(define('A', { name: long, lanes })).join(),
      /^queue 'q+': the queue name .* is 235 bytes long, 231 are left/,
    );
    const exchange = 'x'.repeat(120);
    assert.deepEqual(problems(define('A', { name: 'q', exchange })), []);
    assert.match(problems(define('A', { name: 'q', exchange, lanes })).join(), /is longer than 127 bytes/);
  });

  it('belong to the queue: two handlers that say them differently are an error that names both', () => {
    const strict = define('A', { name: 'q', lanes: ['high', 'default'] });
    const other = define('B', { name: 'q', lanes: ['default', 'high'] });
    assert.deepEqual(problems(strict, other), [
      "queue 'q' has lanes [high, default] in A and [default, high] in B: say it once, or alike",
    ]);
    const weighted = define('B', { name: 'q', lanes: { high: 2, default: 1 } });
    assert.deepEqual(problems(strict, weighted), [
      "queue 'q' has lanes [high, default] in A and { default: 1, high: 2 } in B: say it once, or alike",
    ]);
    assert.deepEqual(problems(weighted, define('C', { name: 'q', lanes: { default: 1, high: 2 } })), []);
    assert.deepEqual(problems(strict, define('C', { name: 'q' })), []);
  });

  it('must not be the queue of somebody else', () => {
    const laned = define('A', { name: 'q', lanes: ['high', 'default'] });
    assert.deepEqual(problems(laned, define('B', { name: 'q.high' })), [
      "lane 'high' of queue 'q' is the queue 'q.high', and so is queue 'q.high': rename one of them",
    ]);
    assert.deepEqual(problems(laned, define('B', { name: 'q.low' })), []);
  });
});

describe('maxPriority', () => {
  it('is any on a classic queue, and at most 31 on a quorum queue', () => {
    const found = (queue: QueueOptions) => problems(define('A', { name: 'q', ...queue }));
    assert.deepEqual(found({ type: 'classic', maxPriority: 255 }), []);
    assert.deepEqual(found({ maxPriority: 31 }), []);
    assert.deepEqual(found({ maxPriority: 32 }), [
      "queue 'q' has maxPriority 32: a quorum queue has priorities 0 to 31; lower it, or say type: 'classic'",
    ]);
    for (const wrong of [0, 256, 1.5])
      assert.deepEqual(found({ type: 'classic', maxPriority: wrong }), [
        `A: expected queue.maxPriority to be an integer from 1 to 255, got ${wrong}`,
      ]);
  });

  it('belongs to the queue', () => {
    const classic = { name: 'q', type: 'classic' } as const;
    assert.deepEqual(
      problems(define('A', { ...classic, maxPriority: 5 }), define('B', { name: 'q', maxPriority: 6 })),
      ["queue 'q' has maxPriority 5 in A and 6 in B: say it once, or alike"],
    );
  });
});
