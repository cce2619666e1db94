import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of publishes that wait for success', () => {
  it('publishes one event of three attempts', async () => {
    const { code, stdout, stderr } = await run('publishes-after.js', { failsOnPurpose: true });
    assert.deepEqual(
      { code, stdout: stdout.trim().split('\n'), stderr },
      {
        code: 0,
        stdout: [
          'attempt 1: published, and kept',
          'attempt 2: published, and kept',
          'attempt 3: published, and kept',
          'order 7 is paid, by attempt 3',
        ],
        stderr: '',
      },
    );
  });
});
