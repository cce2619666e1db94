import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Series } from '../../../src/observe/alerts/measuring/history.js';
import { Measuring } from '../../../src/observe/alerts/measuring/measuring.js';
import { handler, queue, snapshot, worker } from './snapshots.js';

const DAY_MS = 86_400_000;

describe('figures of alerts over time', () => {
  it('are exact to a hundredth for each window, however long they are kept', () => {
    const ages = fc.array(fc.integer({ min: 15_000, max: DAY_MS / 2 }), { minLength: 1, maxLength: 20 });
    const series = new Series(DAY_MS);
    for (let at = 0; at <= DAY_MS; at += 15_000) series.add(at, at);
    fc.assert(
      fc.property(ages, (windows) => {
        for (const windowMs of windows) {
          const { overMs = 0 } = series.change(windowMs) ?? {};
          assert.ok(overMs >= windowMs && overMs <= windowMs * 1.01 + 15_000, `${windowMs}: ${overMs}`);
        }
      }),
    );
    assert.equal(series.change(1)?.overMs, 15_000);
  });

  it('take little memory', () => {
    const series = new Series(DAY_MS);
    for (let at = 0; at <= DAY_MS; at += 1_000) series.add(at, at);
    const { points } = series as unknown as { points: readonly unknown[] };
    assert.ok(points.length < 2_000, `${points.length} points`);
  });

  it('have the time of a process that has missed looks with what it did in that time', () => {
    const measuring = new Measuring(300_000);
    const at = (seconds: number, busyMs: number | undefined) =>
      measuring.take({
        ...snapshot({ processes: busyMs === undefined ? [] : [worker([handler()], { busyMs })] }),
        at: seconds * 1_000,
      });
    at(10, 0);
    at(20, 10_000);
    for (const missed of [30, 40, 50]) at(missed, undefined);
    at(60, 50_000);
    const [busy, slots] = ['busy', 'slots'].map((name) => measuring.change(300_000, name, 'orders')?.by);
    assert.deepEqual([busy, slots], [50_000, 100_000], 'of two slots one was busy');
  });

  it('are forgotten with what they are of', () => {
    const measuring = new Measuring(300_000);
    for (let number = 0; number < 100; number += 1) {
      const name = `short-lived.${number}`;
      const handlers = [handler({ queue: name })];
      const look = snapshot({ queues: [queue({ queue: name })], processes: [worker(handlers)] });
      measuring.take({ ...look, at: number * 600_000 });
    }
    const { counters, series, holdings } = measuring as unknown as Record<string, Map<string, unknown>>;
    for (const [kept, most] of [
      [counters, 50],
      [series, 20],
      [holdings, 30],
    ] as const)
      assert.ok((kept?.size ?? 0) > 0 && (kept?.size ?? 0) <= most, `${kept?.size}`);
  });
});
