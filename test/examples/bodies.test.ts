import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of bodies', () => {
  it('reads JSON, text, bytes and rows, each as its handler says, and ends by itself', async () => {
    const { code, stdout, stderr } = await run('bodies.js');
    const lines = stdout.trim().split('\n').toSorted();
    assert.deepEqual(
      { code, lines, stderr },
      {
        code: 0,
        lines: ['2 rows, 4 numbers', '21.5 °C', 'a photo of 8 bytes', 'switched on'],
        stderr: '',
      },
    );
  });
});
