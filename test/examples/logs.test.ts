import assert from 'node:assert/strict';
import { read } from '../project/repository.js';
import { run } from './program.js';

describe('the example of logs', () => {
  it('runs in memory and prints the lines that the guide shows', async () => {
    const { code, stdout, stderr } = await run('logs.js');
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout.replaceAll(/("(?:durationMs|sincePublishedMs|waitMs)":)[\d.]+/g, '$10');
    assert.ok(read('docs/logs.md').includes(lines.replaceAll(/ in \d+ms/g, ' in 0ms')), lines);
  });
});
