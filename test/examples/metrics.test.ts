import assert from 'node:assert/strict';
import { read } from '../project/repository.js';
import { run } from './program.js';

describe('the example of metrics', () => {
  it('runs in memory and prints what the guide shows', async () => {
    const { code, stdout, stderr } = await run('metrics.js');
    assert.deepEqual([code, stderr], [0, '']);
    assert.ok(read('docs/metrics.md').includes(`\n${stdout}\`\`\`\n`), stdout);
  });
});
