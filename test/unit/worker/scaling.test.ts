import assert from 'node:assert/strict';
import fc from 'fast-check';
import { advise } from '../../../src/worker/scaling.js';

const options = { min: 2, max: 6, clearWithinMs: 10_000, coolDownMs: 5_000 };
const load = (backlog: number, averageMs: number | undefined = 100) => ({ backlog, averageMs, places: 10 });

describe('how many processes there should be', () => {
  it('is what handles the backlog in time', () => {
    // 1,000 places-milliseconds a process within the time: 3,000 messages of 100 ms are 30 s of one process.
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
          const { processes } = advise(current, { backlog, averageMs, places: 10 }, options);
          assert.ok(processes >= 2 && processes <= 6 && Math.abs(processes - current) <= 1);
        },
      ),
    );
  });

  it('is one more while nothing has been handled and more waits than there are places', () => {
    const unknown = { averageMs: undefined, places: 10 };
    assert.equal(advise(2, { backlog: 21, ...unknown }, options).processes, 3);
    assert.equal(advise(2, { backlog: 20, ...unknown }, options).processes, 2);
  });

  it('has a reason that can be read', () => {
    assert.equal(
      advise(2, load(3_000), options).why,
      '3000 wait, 100ms each, which takes 2 processes 15s; they are to be handled within 10s',
    );
  });
});
