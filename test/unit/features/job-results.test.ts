import assert from 'node:assert/strict';
import { keptResult } from '../../../src/features/job/results.js';
import type { Received } from '../../../src/pipeline/received.js';

describe('result of a job', () => {
  it('that JSON can not hold is told in words that every store can hold', () => {
    const value = {
      toJSON() {
        throw new Error(`\0\ud800${'x'.repeat(100_000)}`);
      },
    };
    const { resultProblem = '' } = keptResult(value, {} as Received, undefined) as { resultProblem?: string };
    assert.match(resultProblem, /^JSON can't hold it: /);
    assert.ok(resultProblem.length < 10_000);
    assert.doesNotMatch(resultProblem, /\0|\p{Surrogate}/u);
  });
});
