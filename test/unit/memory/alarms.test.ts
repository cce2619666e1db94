import assert from 'node:assert/strict';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { Alarms } from '../../../src/transport/memory/alarms.js';
import type { Clock } from '../../../src/util/clock.js';

describe('Alarms', () => {
  const clock = new ManualClock();
  const hasty: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer: (task, delayMs) => clock.setTimer(task, Math.max(0.1, delayMs - 1)),
  };

  it('ring on time though the timers under them are early', async () => {
    const alarms = new Alarms(hasty);
    alarms.wake();
    const at: number[] = [];
    alarms.set(() => at.push(clock.monotonic()), 20);
    await clock.advance(30);
    assert.equal(at.length, 1);
    assert.ok((at[0] as number) >= 20 && (at[0] as number) < 20.2, `rang at ${at[0]}`);
  });

  it('hold no timer while they sleep, and make up for what is overdue in order when they wake', async () => {
    const alarms = new Alarms(clock);
    const rang: string[] = [];
    const start = clock.monotonic();
    alarms.set(() => rang.push('second'), start + 20);
    alarms.set(() => rang.push('first'), start + 10);
    alarms.cancel(alarms.set(() => rang.push('cancelled'), start + 5));
    alarms.set(() => rang.push('later'), start + 100);
    await clock.advance(50);
    assert.deepEqual([rang, clock.armed], [[], 0]);
    alarms.wake();
    await clock.settle();
    assert.deepEqual(rang, ['first', 'second']);
    alarms.sleep();
    assert.equal(clock.armed, 0);
  });
});
