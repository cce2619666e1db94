import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of parts that are done once', () => {
  it('charges once, though the message is handled twice', async () => {
    const { code, stdout, stderr } = await run('once.js', { failsOnPurpose: true });
    assert.deepEqual(
      { code, stdout: stdout.trim().split('\n'), stderr },
      {
        code: 0,
        stdout: [
          'order 7 is charged',
          'order 7 is confirmed by mail: 4200 cents',
          'handled by attempt 2; charges: 1',
        ],
        stderr: '',
      },
    );
  });
});
