import assert from 'node:assert/strict';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { Deadline } from '../../../src/util/deadline.js';
import { deferred } from '../../../src/util/deferred.js';

describe('a deadline', () => {
  let clock: ManualClock;
  beforeEach(() => {
    clock = new ManualClock();
  });
  afterEach(() => assert.equal(clock.armed, 0, 'a timer was left behind'));

  const late = () => new Error('late');

  it('is one moment: what remains shrinks with time, and never below 0', async () => {
    const deadline = new Deadline(clock, 1_000);
    assert.equal(deadline.remainingMs, 1_000);
    await clock.advance(400);
    assert.equal(deadline.remainingMs, 600);
    assert.equal(deadline.expired, false);
    await clock.advance(600);
    assert.equal(deadline.remainingMs, 0);
    assert.equal(deadline.expired, true);
    await clock.advance(5_000);
    assert.equal(deadline.remainingMs, 0);
  });

  it('is over for who has lost a race by it, though timers may fire a little early', async () => {
    const early = {
      now: () => 0,
      monotonic: () => 0,
      setTimer: (task: () => void) => {
        queueMicrotask(task);
        return { cancel: () => {} };
      },
    };
    const deadline = new Deadline(early, 1);
    await assert.rejects(deadline.race(new Promise(() => {}), late), /late/);
    assert.equal(deadline.expired, true);
  });

  it('does not move when the wall clock is set', async () => {
    const deadline = new Deadline(clock, 1_000);
    clock.setWall(clock.now() + 3_600_000);
    assert.equal(deadline.remainingMs, 1_000);
  });

  it('may be ended early: what races it loses at once, and what races it later as well', async () => {
    for (const durationMs of [1_000, Number.POSITIVE_INFINITY]) {
      const deadline = new Deadline(clock, durationMs);
      const work = deferred<string>();
      const raced = deadline.race(work.promise, late);
      deadline.end();
      await assert.rejects(raced, /late/);
      await assert.rejects(deadline.race(Promise.resolve('done'), late), /late/);
      assert.equal(deadline.expired, true);
      work.reject(new Error('nobody listens any more'));
    }
  });

  it('that is Infinity never ends, and arms no timer to watch for it', async () => {
    const deadline = new Deadline(clock, Number.POSITIVE_INFINITY);
    const work = deferred<string>();
    const raced = deadline.race(work.promise, late);
    assert.equal(clock.armed, 0);
    await clock.advance(10 ** 12);
    assert.equal(deadline.expired, false);
    work.resolve('done');
    assert.equal(await raced, 'done');
  });

  it("gives the work's outcome if that comes first, value or error, and disarms its timer", async () => {
    const deadline = new Deadline(clock, 1_000);
    assert.equal(await deadline.race(Promise.resolve('done'), late), 'done');
    await assert.rejects(deadline.race(Promise.reject(new Error('broken')), late), /broken/);
    assert.equal(clock.armed, 0);
  });

  it('rejects at its moment, not before, when the work takes longer', async () => {
    const deadline = new Deadline(clock, 1_000);
    await clock.advance(300);
    const errors: Error[] = [];
    void deadline.race(deferred().promise, late).catch((error) => errors.push(error));
    await clock.advance(699);
    assert.deepEqual(errors, []);
    await clock.advance(1);
    assert.deepEqual(errors, [late()]);
  });

  it('makes the error only when it is needed', async () => {
    const deadline = new Deadline(clock, 1_000);
    await deadline.race(Promise.resolve(), () => assert.fail('made for nothing'));
    await clock.advance(1_000);
  });

  it('swallows what the work fails with afterwards', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    try {
      const work = deferred();
      const raced = assert.rejects(new Deadline(clock, 10).race(work.promise, late), /late/);
      await clock.advance(10);
      await raced;
      work.reject(new Error('too late to matter'));
      // Node reports an unhandled rejection once the microtasks of its turn have run.
      await clock.settle();
      assert.deepEqual(unhandled, []);
    } finally {
      process.off('unhandledRejection', onUnhandled);
    }
  });

  it('gives one that is sooner if that is asked for, and never a later one', async () => {
    const deadline = new Deadline(clock, 1_000);
    await clock.advance(400);
    assert.equal(deadline.atMost(200).remainingMs, 200);
    assert.equal(deadline.atMost(5_000).remainingMs, 600);
    assert.equal(deadline.atMost(Number.POSITIVE_INFINITY).remainingMs, 600);
  });

  it('keeps a reserve for what follows, but never more than half of what remains', async () => {
    const deadline = new Deadline(clock, 30_000);
    assert.equal(deadline.before(3_000).remainingMs, 27_000);
    assert.equal(deadline.before(29_000).remainingMs, 15_000);
    await clock.advance(26_000);
    assert.equal(deadline.before(3_000).remainingMs, 2_000);
    await clock.advance(10_000);
    assert.equal(deadline.before(3_000).remainingMs, 0);
    assert.equal(new Deadline(clock, Number.POSITIVE_INFINITY).before(3_000).expired, false);
  });
});
