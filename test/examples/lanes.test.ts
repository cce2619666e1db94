import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of lanes', () => {
  it('builds the urgent report before those that waited, and ends by itself', async () => {
    const { code, stdout, stderr } = await run('lanes.js');
    assert.deepEqual(
      { code, stdout: stdout.trim().split('\n'), stderr },
      {
        code: 0,
        stdout: [
          'January, for the archive',
          'the one a customer waits for',
          'February, for the archive',
          'March, for the archive',
        ],
        stderr: '',
      },
    );
  });
});
