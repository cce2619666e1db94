import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Backoff } from '../../../src/util/backoff.js';

/** Runs `work` with a source of chance that always says `value`. */
function withRandom<T>(value: number, work: () => T): T {
  const original = Math.random;
  Math.random = () => value;
  try {
    return work();
  } finally {
    Math.random = original;
  }
}

const pauses = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.next());

describe('backoff of our own work', () => {
  it('doubles up to its maximum, and stays there', () => {
    withRandom(0, () => {
      const backoff = new Backoff({ firstMs: 500, maxMs: 30_000 });
      assert.deepEqual(pauses(backoff, 8), [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    });
  });

  it('grows by the factor that is given', () => {
    withRandom(0, () => {
      assert.deepEqual(
        pauses(new Backoff({ firstMs: 10, maxMs: 10_000, factor: 10 }), 5),
        [10, 100, 1_000, 10_000, 10_000],
      );
      assert.deepEqual(pauses(new Backoff({ firstMs: 10, maxMs: 10_000, factor: 1 }), 3), [10, 10, 10]);
    });
  });

  it('begins again from the first pause after a reset', () => {
    withRandom(0, () => {
      const backoff = new Backoff({ firstMs: 100, maxMs: 1_000 });
      pauses(backoff, 7);
      backoff.reset();
      assert.deepEqual(pauses(backoff, 2), [100, 200]);
    });
  });

  it('takes off up to a quarter at random, so that a fleet spreads out', () => {
    const options = { firstMs: 1_000, maxMs: 1_000 };
    assert.equal(
      withRandom(0.999999, () => new Backoff(options).next()),
      750,
    );
    assert.equal(
      withRandom(0.5, () => new Backoff(options).next()),
      875,
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 60_000 }), (first, max) => {
        const backoff = new Backoff({ firstMs: first, maxMs: max });
        for (let tries = 0; tries < 20; tries += 1) {
          const full = Math.min(max, first * 2 ** tries);
          const pause = backoff.next();
          assert.ok(pause <= full && pause >= Math.floor(full * 0.75), `${pause} of ${full}`);
        }
      }),
    );
  });

  it('stays at its maximum after thousands of tries, where the power is no number any more', () => {
    const backoff = new Backoff({ firstMs: 1, maxMs: 1_000 });
    for (const pause of pauses(backoff, 5_000).slice(-3)) assert.ok(pause >= 750 && pause <= 1_000);
  });
});
