import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of a secure connection', () => {
  it('runs in memory without a broker; test/faults/tls.test.ts runs it with one', async () => {
    const { code, stdout, stderr } = await run('secure-connection.js');
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '{ amount: 12 }\n', stderr: '' });
  });
});
