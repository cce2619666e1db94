import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of packs', () => {
  it('has its handler called for each payload, packed by hand or gathered, and ends by itself', async () => {
    const { code, stdout, stderr } = await run('packs.js');
    assert.deepEqual(
      { code, stdout: stdout.trim(), stderr },
      { code: 0, stdout: 'warmest: 39.92, 39.94, 39.96, 39.98 °C', stderr: '' },
    );
  });
});
