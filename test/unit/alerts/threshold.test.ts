import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Threshold } from '../../../src/observe/alerts/state/threshold.js';

const FOR_MS = 100;

describe('a limit of alerts', () => {
  it('is passed by what lasts, and left by what stays well below it', () => {
    const threshold = new Threshold(10, 8, FOR_MS);
    const at = (now: number, value: number) => {
      threshold.take(value, now);
      return threshold.isOn;
    };
    assert.deepEqual([at(0, 11), at(50, 11), at(99, 11), at(100, 11)], [false, false, false, true]);
    assert.deepEqual([at(200, 9), at(400, 9)], [true, true], 'between its limits it stays');
    assert.deepEqual(
      [at(500, 8), at(560, 9), at(600, 8), at(699, 8), at(700, 8)],
      [true, true, true, true, false],
    );
  });

  it('needs no time if none is asked for', () => {
    const threshold = new Threshold(0, 0, 0);
    threshold.take(1, 0);
    assert.ok(threshold.isOn);
    threshold.take(0, 1);
    assert.ok(!threshold.isOn);
  });

  // A look every 10 ms to 30 ms, each with a value, or without one.
  const look = fc.record({
    afterMs: fc.integer({ min: 10, max: 30 }),
    value: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
  });

  it('is on once all known values of the time are above it, off once all are below, and changes for none that is not known', () => {
    fc.assert(
      fc.property(fc.array(look, { maxLength: 60 }), (looks) => {
        const threshold = new Threshold(10, 5, FOR_MS);
        const seen: { readonly at: number; readonly value: number }[] = [];
        let now = 0;
        for (const { afterMs, value } of looks) {
          now += afterMs;
          const before = threshold.isOn;
          if (value === undefined) continue;
          threshold.take(value, now);
          seen.push({ at: now, value });
          const first = seen.findLastIndex(({ at }) => at <= now - FOR_MS);
          const lately = first < 0 ? [] : seen.slice(first).map((each) => each.value);
          if (lately.length > 0 && lately.every((each) => each > 10)) assert.ok(threshold.isOn, 'lost');
          if (lately.length > 0 && lately.every((each) => each <= 5))
            assert.ok(!threshold.isOn, 'never cleared');
          if (threshold.isOn && !before) assert.ok(value > 10);
          if (!threshold.isOn && before) assert.ok(value <= 5);
        }
      }),
    );
  });
});
