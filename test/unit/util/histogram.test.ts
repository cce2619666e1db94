import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Histogram } from '../../../src/util/histogram.js';

const values = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 1_000_000_000 }), fc.integer({ min: 0, max: 2 ** 43 - 1 })),
  { minLength: 1, maxLength: 200 },
);

describe('a histogram', () => {
  it('knows percentiles within 3.2 %, whatever it counts, and exactly below 16', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const sorted = all.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(share * all.length)) - 1] as number;
        const told = histogramOf(all).percentile(share) as number;
        assert.ok(
          exact < 16 ? told === exact : Math.abs(told - exact) / exact <= 0.032,
          `${told} for ${exact}`,
        );
      }),
    );
  });

  it('adds up with others: what was counted apart is as if it had been counted together', () => {
    fc.assert(
      fc.property(values, values, (some, others) => {
        const together = Histogram.of([histogramOf(some).data, histogramOf(others).data]);
        assert.deepEqual(together.data, histogramOf([...some, ...others]).data);
        assert.equal(together.count, some.length + others.length);
      }),
    );
  });

  it('survives JSON, and leaves out what it has no bucket for', () => {
    const data = JSON.parse(JSON.stringify(histogramOf([1, 500, 500]).data));
    assert.equal(Histogram.of([[...data, [100_000, 7], [-1, 7]]]).count, 3);
  });

  it('takes what is odd for the nearest that it can count', () => {
    const odd = histogramOf([-5, 0.9, 2 ** 60, Number.POSITIVE_INFINITY]);
    assert.equal(odd.percentile(0.5), 0);
    assert.ok((odd.percentile(1) as number) > 8e12);
  });

  it('knows nothing before the first value, nor after it was cleared', () => {
    const histogram = histogramOf([3]);
    histogram.clear();
    for (const empty of [new Histogram(), histogram]) {
      assert.equal(empty.percentile(0.5), undefined);
      assert.deepEqual([empty.count, empty.data], [0, []]);
    }
  });
});

function histogramOf(all: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of all) histogram.record(value);
  return histogram;
}
