import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of publish middleware', () => {
  it('adds the tenant, compresses, and logs each publish with its end', async () => {
    const { code, stdout, stderr } = await run('publish-middleware.js');
    assert.deepEqual(
      { code, stdout: stdout.trim().split('\n'), stderr },
      {
        code: 0,
        stdout: [
          'invoice 1 of acme, which came as gzip',
          'publish invoice.due: confirmed',
          'send nobody.takes.it: UnroutableError',
        ],
        stderr: '',
      },
    );
  });
});
