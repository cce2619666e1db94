import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of encrypted payloads', () => {
  it('handles what is encrypted, and gives up what is not', async () => {
    const { code, stdout, stderr } = await run('encryption.js', { failsOnPurpose: true });
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(stdout.trimEnd().split('\n').toSorted(), [
      'kept for p-17: all is well',
      'undecodable: handler KeepFinding takes encrypted messages only, and this one is plain',
    ]);
  });
});
