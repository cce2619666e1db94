import assert from 'node:assert/strict';
import fc from 'fast-check';
import { advise } from '../../../src/worker/scaling.js';

const options = { min: 2, max: 6, clearWithinMs: 10_000, coolDownMs: 5_000 };
const set = (backlog: number, averageMs: number | undefined) => ({
  queues: ['mailer.welcome'],
  backlog,
  averageMs,
  slots: 10,
});
const load = (backlog: number) => ({ slotGroups: [set(backlog, 100)] });

describe('how many processes there should be', () => {
  it('is what handles the backlog in time', () => {
    // 1,000 slot-milliseconds a process within the time: 3,000 messages of 100 ms are 30 s of one process.
    assert.equal(advise(3, load(3_000), options).processes, 3);
    assert.equal(advise(2, load(3_000), options).processes, 3);
    assert.equal(advise(4, load(3_000), options).processes, 3);
  });

  it('changes by one at a time, and stays within its range', () => {
    assert.equal(advise(2, load(1_000_000), options).processes, 3);
    assert.equal(advise(6, load(1_000_000), options).processes, 6);
    assert.equal(advise(5, load(0), options).processes, 4);
    assert.equal(advise(2, load(0), options).processes, 2);
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 6 }),
        fc.nat(1e7),
        fc.option(fc.nat(1e5), { nil: undefined }),
        (current, backlog, averageMs) => {
          const { processes } = advise(current, { slotGroups: [set(backlog, averageMs)] }, options);
          assert.ok(processes >= 2 && processes <= 6 && Math.abs(processes - current) <= 1);
        },
      ),
    );
  });

  it('is one more while nothing has been handled and more waits than there are slots', () => {
    const unknown = (backlog: number) => ({ slotGroups: [set(backlog, undefined)] });
    assert.equal(advise(2, unknown(21), options).processes, 3);
    assert.equal(advise(3, unknown(30), options).processes, 3);
    assert.equal(advise(3, unknown(1), options).processes, 3);
  });

  it('is one less while nothing waits, though nothing has been handled yet', () => {
    assert.equal(advise(6, { slotGroups: [set(0, undefined)] }, options).processes, 5);
    assert.equal(advise(6, { slotGroups: [] }, options).processes, 5);
  });

  it('is what the slot group asks for that needs the most, and tells which it is', () => {
    const digest = { queues: ['mailer.digest'], backlog: 240, averageMs: 60_000, slots: 2 };
    const slotGroups = [set(0, 5), digest, set(50, undefined)];
    const { processes, why } = advise(2, { slotGroups }, options);
    assert.equal(processes, 3);
    assert.equal(
      why,
      '240 wait in mailer.digest, 1m each, which takes 2 processes 1h; they are to be handled within 10s',
    );
  });

  it('counts nothing of what an operator has paused', () => {
    const paused = { ...set(5, 60_000), slots: 0 };
    assert.equal(advise(3, { slotGroups: [paused, set(3_000, 100)] }, options).processes, 3);
    assert.equal(advise(3, { slotGroups: [paused] }, options).processes, 2);
  });

  it('has a reason that can be read', () => {
    assert.equal(
      advise(2, load(3_000), options).why,
      '3000 wait, 100ms each, which takes 2 processes 15s; they are to be handled within 10s',
    );
  });
});
