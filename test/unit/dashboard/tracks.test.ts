import assert from 'node:assert/strict';
import { History, STEP_MS, STEPS } from '../../../src/dashboard/site/history/history.js';
import { Ring } from '../../../src/dashboard/site/history/ring.js';
import { LevelTrack, RateTrack } from '../../../src/dashboard/site/history/tracks.js';

describe('values at equal steps', () => {
  it('are those of the last steps, and not known where none was set', () => {
    const ring = new Ring(4);
    assert.equal(ring.at(0), undefined);
    ring.set(10, 1);
    ring.set(12, 3);
    assert.deepEqual(
      [9, 10, 11, 12, 13].map((step) => ring.at(step)),
      [undefined, 1, undefined, 3, undefined],
    );
    ring.set(14, 5);
    assert.deepEqual(
      [10, 11, 12, 13, 14].map((step) => ring.at(step)),
      [undefined, undefined, 3, undefined, 5],
    );
    ring.set(1_000_000, 7);
    assert.deepEqual(
      [14, 999_997, 999_999, 1_000_000].map((step) => ring.at(step)),
      [undefined, undefined, undefined, 7],
    );
  });

  it('of a level are what was found last, also in a step in which nobody has looked', () => {
    const track = new LevelTrack(5_000, 100);
    track.take(undefined, 1_000, 1);
    track.take(1_000, 4_900, 2);
    track.take(4_900, 10_100, 3);
    assert.deepEqual([track.at(0), track.at(1), track.at(2)], [2, 3, 3]);
    track.take(10_100, 60_000, 4);
    assert.deepEqual([track.at(3), track.at(11), track.at(12)], [undefined, undefined, 4]);
    track.take(60_000, 65_000, undefined);
    assert.equal(track.at(13), undefined);
  });

  it('of a rate are its mean over the step, and not known for a step that is mostly not known', () => {
    const track = new RateTrack(5_000, 100);
    track.take(undefined, 1_000, undefined);
    track.take(1_000, 3_000, 10);
    track.take(3_000, 7_000, 20);
    // 2 s with 10 and 2 s with 20.
    assert.equal(track.at(0), 15);
    assert.equal(track.at(1), undefined);
    track.take(7_000, 17_000, 5);
    assert.deepEqual([track.at(1), track.at(2)], [(2 * 20 + 3 * 5) / 5, 5]);
    track.take(17_000, 60_000, 100);
    track.take(60_000, 62_000, 100);
    track.take(62_000, 66_000, 100);
    assert.deepEqual([track.at(3), track.at(11), track.at(12)], [undefined, undefined, 100]);
  });
});

describe('the history of an application', () => {
  const values = (number: number) => ({ handled: number, length: number });

  it('has whole steps of an hour at most, of all, of handlers and of queues', () => {
    const history = new History();
    let at = 1_000_000 * STEP_MS;
    let before: number | undefined;
    for (let look = 0; look < 3 * STEPS; look += 1) {
      const own = new Map([['shop/q/Ship', values(2)]]);
      history.take({ at, before, all: values(1), handlers: own, queues: new Map([['q', values(3)]]) });
      before = at;
      at += 2_000;
    }
    const read = (subject?: string) => history.read('handled', subject, 60_000, at);
    assert.deepEqual(read().values, Array(12).fill(1));
    assert.equal(read().from + 12 * STEP_MS, Math.floor(at / STEP_MS) * STEP_MS);
    assert.deepEqual(read('shop/q/Ship').values, Array(12).fill(2));
    assert.deepEqual(history.read('length', 'q', 60_000, at).values, Array(12).fill(3));
    assert.deepEqual(read('nobody').values, Array(12).fill(null));
    assert.equal(history.read('handled', undefined, 86_400_000, at).values.length, STEPS);
  });

  it('has no more than 500 handlers, and makes room when those of an hour ago are gone', () => {
    const history = new History();
    const take = (name: string, at: number, count: number) => {
      const handlers = new Map(
        Array.from({ length: count }, (_, index) => [`${name}${index}`, { length: 1 }]),
      );
      history.take({ at, before: at - 2_000, all: {}, handlers, queues: new Map() });
    };
    const known = (subject: string, at: number) =>
      history.read('length', subject, STEP_MS, at + STEP_MS).values[0];
    const at = 1_000_000 * STEP_MS;
    take('old', at, 600);
    assert.deepEqual([known('old499', at), known('old500', at)], [1, null]);
    const later = at + (STEPS + 1) * STEP_MS;
    take('new', later, 0);
    take('new', later + STEP_MS, 1);
    assert.equal(known('new0', later + STEP_MS), 1);
  });
});
