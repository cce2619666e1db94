import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of a copy for each process', () => {
  it('has both of its processes forget a price that has changed, and ends by itself', async () => {
    const { code, stdout, stderr } = await run('each-process.js');
    assert.deepEqual(
      { code, stdout: stdout.trim(), stderr },
      { code: 0, stdout: 'tea costs 3 and 3\ntea costs 5 and 5', stderr: '' },
    );
  });
});
