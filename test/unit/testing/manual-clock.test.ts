import assert from 'node:assert/strict';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { pause } from '../../../src/util/clock.js';

describe('ManualClock', () => {
  it('stands still until it is moved, then runs what falls due in order of due time, ties in order of arming', async () => {
    const clock = new ManualClock();
    const ran: string[] = [];
    for (const [name, delayMs] of [
      ['late', 30],
      ['tie 1', 20],
      ['early', 10],
      ['tie 2', 20],
      ['after', 31],
    ] as const) {
      clock.setTimer(() => ran.push(`${name} at ${clock.monotonic()}`), delayMs);
    }
    await clock.settle();
    assert.deepEqual(ran, []);

    await clock.advance(30);
    assert.deepEqual(ran, ['early at 10', 'tie 1 at 20', 'tie 2 at 20', 'late at 30']);
    assert.equal(clock.armed, 1);
    assert.equal(clock.monotonic(), 30);
  });

  it('runs a timer that is armed on the way at its own moment, if that lies within the advance', async () => {
    const clock = new ManualClock();
    const at: number[] = [];
    const chain = async () => {
      for (let step = 0; step < 4; step += 1) {
        await pause(clock, 100);
        at.push(clock.monotonic());
      }
    };
    void chain();
    clock.setTimer(() => at.push(clock.monotonic()), 150);
    await clock.advance(350);
    assert.deepEqual(at, [100, 150, 200, 300]);
  });

  it('lets work that takes many turns of the event loop come to rest before time moves on', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    clock.setTimer(() => {
      let turns = 0;
      const work = () => {
        clock.monotonic();
        turns += 1;
        if (turns < 500) setImmediate(work);
        else log.push(`worked until ${clock.monotonic()}`);
      };
      work();
    }, 10);
    clock.setTimer(() => log.push(`next at ${clock.monotonic()}`), 11);
    await clock.advance(20);
    assert.deepEqual(log, ['worked until 10', 'next at 11']);
  });

  it('asks at each instant whether all has come to rest, and again after each wait, before time moves on', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    clock.setTimer(() => log.push('first'), 10);
    clock.setTimer(() => log.push('second'), 20);
    assert.equal(clock.nextDueAt, 10);
    let waits = 2;
    await clock.advance(15, async () => {
      log.push(`asked at ${clock.monotonic()}`);
      waits -= 1;
      return waits > 0;
    });
    assert.deepEqual(log, ['asked at 0', 'asked at 0', 'first', 'asked at 10']);
    assert.equal(clock.nextDueAt, 20);
    await clock.advance(15);
    assert.equal(clock.nextDueAt, undefined);
  });

  it('reports work that never comes to rest instead of hanging', async () => {
    const clock = new ManualClock();
    let stopped = false;
    const spin = () => {
      clock.monotonic();
      if (!stopped) setImmediate(spin);
    };
    spin();
    await assert.rejects(clock.advance(1), /time can't move on/);
    stopped = true;
    await clock.advance(1);
    assert.equal(clock.monotonic(), 1);
  });

  it('forgets cancelled timers, also among thousands for one moment', async () => {
    const clock = new ManualClock();
    const timers = Array.from({ length: 5_000 }, () =>
      clock.setTimer(() => assert.fail('cancelled'), 30_000),
    );
    for (const timer of timers) timer.cancel();
    for (const timer of timers) timer.cancel();
    assert.equal(clock.armed, 0);
    await clock.advance(30_000);
  });

  it('moves the wall clock with time, and alone when it is set', async () => {
    const clock = new ManualClock(Date.UTC(2030, 0, 1));
    await clock.advance(500);
    assert.equal(clock.now(), Date.UTC(2030, 0, 1) + 500);
    clock.setWall(0);
    await clock.advance(250);
    assert.equal(clock.now(), 250);
    assert.equal(clock.monotonic(), 750);
  });

  it('takes calls that overlap one after the other', async () => {
    const clock = new ManualClock();
    const at: number[] = [];
    clock.setTimer(() => at.push(clock.monotonic()), 15);
    await Promise.all([clock.advance(10), clock.advance(10)]);
    assert.deepEqual(at, [15]);
    assert.equal(clock.monotonic(), 20);
  });

  it('passes on what a task throws and stays usable', async () => {
    const clock = new ManualClock();
    clock.setTimer(() => {
      throw new Error('from a task');
    }, 1);
    await assert.rejects(clock.advance(5), /from a task/);
    await clock.advance(5);
    assert.throws(() => clock.advance(-1), RangeError);
  });
});
