import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of a welcome e-mail', () => {
  it('sends it after its delay, again if that fails, and not to who has left', async () => {
    const { code, stdout, stderr } = await run('welcome-email.js', { failsOnPurpose: true });
    assert.deepEqual(
      { code, stdout: stdout.trimEnd().split('\n').toSorted(), stderr },
      {
        code: 0,
        stdout: [
          'email.welcome: not wanted any more',
          'the mail server is busy: again in 30 s',
          'to Ada: Welcome!',
        ],
        stderr: '',
      },
    );
  });
});
