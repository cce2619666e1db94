import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of requests and replies', () => {
  it('has a quote replied, and an error with its code, and ends by itself', async () => {
    const { code, stdout, stderr } = await run('requests.js');
    assert.deepEqual(
      { code, stdout: stdout.trim(), stderr },
      { code: 0, stdout: 'two of tea cost 500 cents\nUNKNOWN_SKU: there is no cake', stderr: '' },
    );
  });
});
