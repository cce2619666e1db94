import assert from 'node:assert/strict';
import { FiguresOfHandler } from '../../../src/consume/report/figures.js';
import { Histogram } from '../../../src/util/histogram.js';

const seconds = (count: number) => count * 1_000;

/** `ended` attempts, one after the other, at `now`. */
function handle(figures: FiguresOfHandler, now: number, ended: number, runtimeMs = 1): void {
  for (let left = ended; left > 0; left -= 1) {
    figures.began(now);
    figures.ended(now, runtimeMs, false);
  }
}

describe('the figures of a handler', () => {
  it('count what runs, what has ended, and what became of it', () => {
    const figures = new FiguresOfHandler('Work', 'q', 60_000, 0);
    figures.began(1);
    figures.began(1);
    figures.began(1);
    figures.ended(2, 1, false);
    figures.ended(3, 2, true);
    figures.failedWith(new Error('no'), 1_000);
    figures.retried();
    figures.gaveUp();
    const { running, attempts, failures, retries, deadLettered, recent, recentFailures, errors } =
      figures.read(4);
    assert.deepEqual([running, attempts, failures, retries, deadLettered], [1, 2, 1, 1, 1]);
    assert.deepEqual([recent, recentFailures], [2, 1]);
    assert.deepEqual(errors, [{ kind: 'Error', message: 'no', count: 1, lastAt: 1_000 }]);
  });

  it('are of the last 30 to 60 seconds, and of less after a start', () => {
    const figures = new FiguresOfHandler('Work', 'q', 60_000, 0);
    handle(figures, seconds(10), 5);
    assert.deepEqual(rateOf(figures, seconds(20)), [5, seconds(20)]);
    handle(figures, seconds(40), 2);
    assert.deepEqual(rateOf(figures, seconds(50)), [7, seconds(50)]);
    assert.deepEqual(rateOf(figures, seconds(65)), [2, seconds(35)]);
    assert.deepEqual(rateOf(figures, seconds(95)), [0, seconds(35)]);
  });

  it('forget what was before a long silence, and go on counting', () => {
    const figures = new FiguresOfHandler('Work', 'q', 60_000, 0);
    handle(figures, seconds(10), 5, 100);
    handle(figures, seconds(1_000), 3, 2);
    const { recent, runtime, attempts, overMs } = figures.read(seconds(1_010));
    assert.deepEqual([recent, attempts, Histogram.of([runtime]).count], [3, 8, 3]);
    assert.ok(overMs <= seconds(60), `${overMs}`);
  });

  it('have run times in microseconds, and look at how long messages waited once a millisecond', () => {
    const figures = new FiguresOfHandler('Work', 'q', 60_000, 0);
    handle(figures, 1, 1, 0.25);
    assert.ok(figures.wantsWait(1));
    figures.waited(1, 12);
    assert.ok(!figures.wantsWait(1.5));
    assert.ok(figures.wantsWait(2));
    const { runtime, wait } = figures.read(3);
    assert.ok(Math.abs((Histogram.of([runtime]).percentile(0.5) as number) - 250) < 8);
    assert.equal(Histogram.of([wait]).percentile(0.5), 12);
  });
});

function rateOf(figures: FiguresOfHandler, now: number): number[] {
  const { recent, overMs } = figures.read(now);
  return [recent, overMs];
}
