import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { mock } from 'node:test';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { pause, systemClock } from '../../../src/util/clock.js';

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

/** Armed with Node.js's own timers, which are run by hand. */
class HandTimers {
  readonly armed: { readonly task: () => void; readonly ms: number }[] = [];
  elapsedMs = 0;

  constructor() {
    mock.method(globalThis, 'setTimeout', (task: () => void, ms: number) => {
      const timer = { task, ms };
      this.armed.push(timer);
      return timer;
    });
    mock.method(globalThis, 'clearTimeout', (timer: (typeof this.armed)[number]) => {
      this.armed.splice(this.armed.indexOf(timer), 1);
    });
    mock.method(performance, 'now', () => this.elapsedMs);
  }

  /** Runs what is due next. */
  next(): void {
    const timer = this.armed.shift() ?? assert.fail('nothing is armed');
    this.elapsedMs += timer.ms;
    timer.task();
  }
}

describe("a timer of more than Node.js's 24.8 days", () => {
  const DAY_MS = 86_400_000;
  const LONGEST_MS = 2 ** 31 - 1;
  let timers: HandTimers;
  beforeEach(() => {
    timers = new HandTimers();
  });
  afterEach(() => mock.restoreAll());

  it('runs after its time and not before, up to 400 days', () => {
    for (const days of [24.8, 25, 30, 60, 400]) {
      const from = timers.elapsedMs;
      let ranAt: number | undefined;
      systemClock.setTimer(() => {
        ranAt = timers.elapsedMs;
      }, days * DAY_MS);
      for (let turn = 0; ranAt === undefined && turn < 20; turn += 1) {
        assert.ok(timers.armed.every(({ ms }) => ms >= 1 && ms <= LONGEST_MS));
        timers.next();
      }
      assert.equal(ranAt, from + days * DAY_MS, `${days} days`);
      assert.equal(timers.armed.length, 0);
    }
  });

  it('never runs once it is cancelled, however far it has come; one without an end never does', () => {
    let ran = 0;
    const timer = systemClock.setTimer(() => {
      ran += 1;
    }, 60 * DAY_MS);
    timers.next();
    assert.equal(timers.armed.length, 1);
    timer.cancel();
    assert.equal(timers.armed.length, 0);
    systemClock.setTimer(() => {
      ran += 1;
    }, Number.POSITIVE_INFINITY);
    for (let turn = 0; turn < 50; turn += 1) timers.next();
    assert.equal(ran, 0);
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
