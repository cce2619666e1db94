import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of retries', () => {
  it('tries again, drops, and gives up, each for its reason', async () => {
    const { code, stdout, stderr } = await run('retries.js', { failsOnPurpose: true });
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(stdout.trimEnd().split('\n').toSorted(), [
      'charged ada in attempt 2',
      'dropped charge of twice',
      'gave up blocked: the card was reported stolen',
    ]);
  });
});
