import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

describe('the index of dead letters', () => {
  it('holds nothing of what its letters were read from: the next small collection of garbage takes it', async () => {
    const program = new URL('index-memory-process.js', import.meta.url).pathname;
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program]);
    const { readKb, heldKb, letters } = JSON.parse(stdout);
    assert.ok(heldKb < readKb / 10, `${heldKb} kB of ${readKb} are held`);
    assert.equal(letters, 3_200);
  });
});
