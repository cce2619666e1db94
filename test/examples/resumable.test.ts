import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of jobs that can be interrupted', () => {
  it('indexes each page once, though its bus stops in the middle of the book', async () => {
    const { code, stdout, stderr } = await run('resumable.js');
    const pages = Array.from({ length: 20 }, (_none, index) => index + 1).join(' ');
    assert.deepEqual(
      { code, stdout: stdout.trim().split('\n'), stderr },
      { code: 0, stdout: [`pages: ${pages}`, 'attempts: 2'], stderr: '' },
    );
  });
});
