import assert from 'node:assert/strict';
import { Slowest } from '../../../src/consume/report/slowest.js';

describe('the slowest attempts of a handler', () => {
  const attempt = (messageId: string, runMs: number) =>
    ({ messageId, attempt: 1, runMs, endedAt: 1, outcome: 'failed' }) as const;

  /** As its caller does: what is not above the fifth is not handed over. */
  function run(slowest: Slowest, times: readonly number[]): number {
    let kept = 0;
    for (const [index, runMs] of times.entries())
      if (runMs > slowest.above) {
        slowest.keep(attempt(`m${index}`, runMs));
        kept += 1;
      }
    return kept;
  }

  const timesOf = (slowest: Slowest, now: number) => slowest.read(now).map(({ runMs }) => runMs);

  it('are five at most, the slowest first, and few of many are handed over', () => {
    const slowest = new Slowest(0);
    // The same numbers in an order without order.
    const times = Array.from({ length: 10_007 }, (_, index) => (index * 5_003) % 10_007);
    assert.ok(run(slowest, times) < 100);
    assert.deepEqual(timesOf(slowest, 1), [10_006, 10_005, 10_004, 10_003, 10_002]);
    assert.equal(run(slowest, [1, 2, 3]), 0);
  });

  it('are those of the last minutes: what was slow before makes room', () => {
    const slowest = new Slowest(0);
    run(slowest, [900, 800, 700, 600, 500]);
    slowest.turn(150_000);
    run(slowest, [1]);
    assert.deepEqual(timesOf(slowest, 160_000), [900, 800, 700, 600, 500]);
    slowest.turn(300_000);
    run(slowest, [2]);
    assert.deepEqual(timesOf(slowest, 310_000), [2, 1]);
    assert.deepEqual(timesOf(slowest, 10_000_000), []);
  });

  it('say what has become of the message after the attempt', () => {
    const slowest = new Slowest(0);
    slowest.keep(attempt('a', 10));
    slowest.keep({ ...attempt('a', 20), attempt: 2 });
    slowest.keep({ ...attempt('none', 5), messageId: undefined });
    slowest.became('a', 1, 'retried');
    slowest.became('a', 2, 'dead-lettered');
    slowest.became('b', 1, 'retried');
    slowest.became(undefined, 1, 'retried');
    assert.deepEqual(
      slowest.read(1).map(({ outcome }) => outcome),
      ['dead-lettered', 'retried', 'failed'],
    );
  });
});
