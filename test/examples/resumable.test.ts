import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of jobs that can be interrupted', () => {
  it('does a book in three pieces, each page once', async () => {
    const { code, stdout, stderr } = await run('resumable.js');
    assert.deepEqual(
      { code, stdout: stdout.trim().split('\n'), stderr },
      {
        code: 0,
        stdout: [
          'Emma, page 50, attempt 1',
          'Emma, page 100, attempt 1',
          'Emma, page 150, attempt 1',
          'Emma, page 200, attempt 1',
          'Emma, page 250, attempt 1',
          'emma is done, in 3 pieces',
        ],
        stderr: '',
      },
    );
  });
});
