import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run as runFile } from '../project/repository.js';
import { run } from './program.js';

describe('the examples of setting up', () => {
  it('handle in plain JavaScript, with decorators that are called and without', async () => {
    const { stdout, stderr } = await runFile(process.execPath, [
      resolve(root, 'examples/setting-up/plain-javascript.js'),
    ]);
    assert.equal(stderr, '');
    assert.deepEqual(stdout.trimEnd().split('\n').toSorted(), [
      'billed A7',
      'cancelled A7',
      'welcome, ada@example.org',
    ]);
  });

  it('build handlers of dependencies that the classes name', async () => {
    const { code, stdout } = await run('setting-up/named-dependencies.js');
    assert.equal(code, 0);
    assert.equal(stdout, 'smtp.example.org: welcome, ada@example.org\n');
  });

  it('keep one bus when a module is run again, and start it once', async () => {
    const module = pathToFileURL(resolve(import.meta.dirname, '../../examples/setting-up/kept-bus.js'));
    const program = `
      const buses = new Set();
      for (const reload of ['1', '2']) {
        const { startedBus } = await import('${module}?' + reload);
        buses.add(await startedBus()).add(await startedBus());
      }
      console.log(buses.size);
      for (const bus of buses) await bus.stop();
    `;
    const { AMQP_URL: _url, ...env } = process.env;
    const args = ['--input-type=module', '--eval', program];
    const { stdout } = await runFile(process.execPath, args, { env });
    assert.equal(stdout, '1\n');
  });

  it('pause between attempts as a function says that is given attempt and error', async () => {
    const { code, stdout } = await run('backoff.js');
    assert.equal(code, 0);
    assert.equal(stdout, 'attempt 1 failed: again in 300 ms\nattempt 2 failed: again in 200 ms\n');
  });
});
