import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of batches', () => {
  it('imports the podcasts as one batch, whose jobs add others, and tells of its end and of what failed', async () => {
    const { code, stdout, stderr } = await run('podcasts.js', { failsOnPurpose: true });
    assert.deepEqual(
      { code, stdout: stdout.trim().split('\n'), stderr },
      {
        code: 0,
        stdout: [
          'ada: 6 of 7 jobs are done, 1 failed',
          'Night Train 1, Night Train 2, Night Train 3, Small Hours 1',
          'podcasts of ada: 100 %, pending: 0, failed: 1',
        ],
        stderr: '',
      },
    );
  });
});
