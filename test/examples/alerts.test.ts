import assert from 'node:assert/strict';
import { read } from '../project/repository.js';
import { run } from './program.js';

describe('the example of alerts', () => {
  it('has a failing handler told to a webhook that checks the signature, as the guide says', async () => {
    const { code, stdout } = await run('alerts.js');
    assert.equal(code, 0);
    const [line] = stdout.split('\n');
    assert.match(line ?? '', /^fired: critical, 100 % of the attempts/);
    assert.ok(read('docs/alerts.md').includes(`It prints \`${line}\``), line);
  });
});
