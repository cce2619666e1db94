import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { BackoffPolicy, RetryOptions } from '../../../src/index.js';
import { HEADER } from '../../../src/message/headers.js';
import type { Clock } from '../../../src/util/clock.js';
import { thrownValue } from '../../support/thrown-value.js';
import { BusBench } from '../bus-bench.js';

const throwing = (make: () => unknown) => (): never => {
  throw make();
};
const rejecting = (make: () => unknown) => async () => Promise.reject(make());

const backoff: fc.Arbitrary<BackoffPolicy> = fc.oneof(
  fc.constantFrom<BackoffPolicy>(0, '1s', ['100ms', '1m'], { exponential: { first: '1s', factor: 3 } }),
  thrownValue.map(throwing),
  thrownValue as fc.Arbitrary<() => never>,
);

const rule = fc.record({
  error: fc.oneof(
    fc.constantFrom<(error: unknown) => boolean>(
      TypeError as never,
      ((error: unknown) => error instanceof RangeError) as never,
    ),
    thrownValue.map(throwing),
    thrownValue.map((make) => rejecting(make) as never),
    thrownValue as fc.Arbitrary<() => never>,
  ),
  then: fc.constantFrom('retry' as const, 'dead-letter' as const, 'discard' as const),
});

const policy: fc.Arbitrary<RetryOptions> = fc.record(
  {
    tries: fc.integer({ min: 1, max: 3 }),
    maxExceptions: fc.integer({ min: 1, max: 3 }),
    backoff,
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    retryFor: fc.constantFrom('1s' as const, '1h' as const),
    retryUntil: fc.oneof(
      thrownValue.map(throwing),
      thrownValue as fc.Arbitrary<() => never>,
      thrownValue.map((make) => rejecting(make) as never),
      fc.constant(() => new Date(Number.NaN)),
    ),
    on: fc.array(rule, { maxLength: 2 }),
  },
  { requiredKeys: ['tries', 'backoff'] },
);

/** How a handler ends badly. */
const ways: readonly ((make: () => unknown) => unknown)[] = [
  (make) => throwing(make)(),
  (make) => Promise.reject(make()),
  (make) => ({ then: throwing(make) }),
  (make) => Object.defineProperty({}, 'then', { get: throwing(make) }),
];

describe('any thrown value under any policy', () => {
  it('ends its message, gives its place back, and lets its queue go on [row 45]', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(
        thrownValue,
        policy,
        fc.constantFrom(...ways),
        thrownValue,
        async (make, retry, way, fromFailed) => {
          const bench = new BusBench();
          let good = 0;
          const bus = bench.bus({ concurrency: 1 }).handle(
            'k',
            (payload: string) => {
              if (payload === 'bad') return way(make);
              good += 1;
              return undefined;
            },
            { retry, failed: throwing(fromFailed) },
          );
          const ended: string[] = [];
          bus.on('message.deadLettered', ({ reason }) => ended.push(reason));
          bus.on('message.discarded', () => ended.push('discarded'));
          try {
            await bus.start();
            await bus.publish('k', 'bad');
            await bus.publish('k', 'good');
            await bench.clock.advance(60 * 60_000);
            assert.equal(ended.length, 1, 'it has ended, once');
            assert.notEqual(ended[0], 'internal');
            assert.equal(good, 1, 'the other is handled');
            await bench.closeBuses();
            assert.deepEqual(await bench.taken('svc'), [], 'nothing was left to be given back');
          } finally {
            await bench.close();
          }
        },
      ),
      { numRuns: 120 },
    );
  });
});

describe('a bug of ours', () => {
  it('ends its message as a dead letter, visibly, gives its place back, and lets its queue go on', async () => {
    const bench = new BusBench();
    let breaks = false;
    const clock: Clock = Object.create(bench.clock, {
      now: {
        value: () => {
          if (!breaks) return bench.clock.now();
          breaks = false;
          throw new TypeError('a bug');
        },
      },
    });
    const transport = Object.create(bench.transport, { clock: { value: clock } });
    const handled: unknown[] = [];
    const bus = bench.bus({ concurrency: 1, transport }).handle('k', (payload) => {
      handled.push(payload);
      breaks = payload === 'bad';
      if (breaks) throw new Error('no');
    });
    const ended: string[] = [];
    bus.on('message.deadLettered', ({ reason }) => ended.push(reason));
    try {
      await bus.start();
      await bus.publish('k', 'bad');
      await bus.publish('k', 'good');
      await bench.clock.settle();
      assert.deepEqual([ended, handled], [['internal'], ['bad', 'good']]);
      const [letter] = await bench.deadLetters('svc');
      assert.equal(letter?.properties.headers[HEADER.error], 'TypeError: a bug');
      assert.ok(bench.log.some(({ level, message }) => level === 'error' && message === 'dispatch failed'));
    } finally {
      await bench.close();
    }
  });
});
