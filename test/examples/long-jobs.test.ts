import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of a job that takes long', () => {
  it('runs it once', async () => {
    const { code, stdout, stderr } = await run('long-jobs.js');
    const encoded = [1, 2, 3].map((minute) => `minute ${minute} is encoded`);
    assert.deepEqual(
      { code, stdout: stdout.trim().split('\n'), stderr },
      { code: 0, stdout: encoded, stderr: '' },
    );
  });
});
