import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of unique messages', () => {
  it('refuses a second send while the first waits, and handles the newest of those that are debounced', async () => {
    const { code, stdout, stderr } = await run('unique.js');
    assert.deepEqual(
      { code, stdout: stdout.trim().split('\n'), stderr },
      {
        code: 0,
        stdout: ["'first' does it already", 'synchronized 7', 'synchronized 8', 'indexed 7 at 12'],
        stderr: '',
      },
    );
  });
});
