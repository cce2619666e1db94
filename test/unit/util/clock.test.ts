import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { pause, systemClock } from '../../../src/util/clock.js';
import { ManualClock } from '../../../src/util/manual-clock.js';

describe('a pause', () => {
  let clock: ManualClock;
  beforeEach(() => {
    clock = new ManualClock();
  });
  afterEach(() => assert.equal(clock.armed, 0, 'a timer was left behind'));

  it('resolves after its time, not before', async () => {
    let over = false;
    void pause(clock, 1_000).then(() => {
      over = true;
    });
    await clock.advance(999);
    assert.equal(over, false);
    await clock.advance(1);
    assert.equal(over, true);
  });

  it("rejects with the signal's reason as soon as that aborts", async () => {
    const abort = new AbortController();
    const paused = pause(clock, 1_000, abort.signal);
    const reason = new Error('enough');
    abort.abort(reason);
    await assert.rejects(paused, (error) => error === reason);
    assert.equal(clock.armed, 0, 'the timer goes with the pause');
  });

  it('rejects at once, and arms nothing, if the signal has aborted before', async () => {
    const reason = new Error('enough');
    await assert.rejects(pause(clock, 1_000, AbortSignal.abort(reason)), (error) => error === reason);
  });

  it('leaves no listener on a signal that outlives it', async () => {
    const { signal } = new AbortController();
    const paused = pause(clock, 10, signal);
    assert.equal(getEventListeners(signal, 'abort').length, 1);
    await clock.advance(10);
    await paused;
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
});

describe('the system clock', () => {
  it('tells the time in milliseconds since 1970, and measures forwards only', () => {
    const before = Date.now();
    const now = systemClock.now();
    assert.ok(now >= before && now <= Date.now());
    const start = systemClock.monotonic();
    assert.ok(systemClock.monotonic() >= start);
  });

  it('runs a task once when its timer is over, and never when it is cancelled', async () => {
    const ran: string[] = [];
    systemClock.setTimer(() => ran.push('cancelled'), 0).cancel();
    await new Promise<void>((resolve) => {
      systemClock.setTimer(() => {
        ran.push('kept');
        resolve();
      }, 0);
    });
    assert.deepEqual(ran, ['kept']);
  });
});
