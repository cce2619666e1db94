import assert from 'node:assert/strict';
import { read } from '../project/repository.js';
import { run } from './program.js';

describe('the example of tracing', () => {
  it('runs in memory and prints the spans that the guide shows', async () => {
    const { code, stdout, stderr } = await run('tracing.js');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^send order\.placed\n {2}process shop succeeded\n/);
    assert.ok(read('docs/tracing.md').includes(`\`\`\`text\n${stdout}\`\`\``), stdout);
  });
});
