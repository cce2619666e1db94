import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of chains', () => {
  it('handles the steps one after the other, passes results on, and tells of the one that failed', async () => {
    const { code, stdout, stderr } = await run('chain.js', { failsOnPurpose: true });
    assert.deepEqual(
      { code, stdout: stdout.trim().split('\n'), stderr },
      {
        code: 0,
        stdout: [
          'ada: beach.jpg, thumbnails: 3, step 4 of 4',
          'ada: huge-beach.jpg, thumbnails: 1, step 5 of 5',
          'ada: upload.stored failed. UnrecoverableError: beach.txt is no picture',
        ],
        stderr: '',
      },
    );
  });
});
