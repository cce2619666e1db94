import assert from 'node:assert/strict';
import { limitReached } from '../../../src/worker/limits.js';

const usage = { jobs: 10, aliveMs: 60_000, memory: 100 * 1024 * 1024 };

describe('the limits of a process', () => {
  it('are none unless they are given', () => {
    assert.equal(limitReached({}, usage), undefined);
  });

  it('are reached when they are met, and say which', () => {
    assert.equal(
      limitReached({ maxJobs: 11, maxTimeMs: 60_001, maxMemory: usage.memory + 1 }, usage),
      undefined,
    );
    assert.equal(
      limitReached({ maxJobs: 10 }, usage),
      'it has begun 10 jobs, and is to be replaced after 10',
    );
    assert.equal(
      limitReached({ maxTimeMs: 60_000 }, usage),
      'it has run for 1m, and is to be replaced after 1m',
    );
    assert.equal(
      limitReached({ maxMemory: usage.memory }, usage),
      'it takes 100MB of memory, and is to be replaced from 100MB on',
    );
  });
});
