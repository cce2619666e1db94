import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of locks', () => {
  it('has two handlers write one file, one after the other', async () => {
    const { code, stdout } = await run('lock.js');
    assert.deepEqual(
      { code, lines: stdout.trim().split('\n').slice(-4) },
      { code: 0, lines: ['chair: returned', 'chair: sold', 'lamp: returned', 'lamp: sold'] },
    );
  });
});
