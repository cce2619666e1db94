import assert from 'node:assert/strict';
import { join } from 'node:path';
import { FirstProcess } from '../../../src/worker/first-process.js';
import type { WorkerProcessListener } from '../../../src/worker/worker-process.js';
import { eventually } from '../../support/eventually.js';

const TALKS = join(import.meta.dirname, 'talking-process.js');

function recorder() {
  const heard: string[] = [];
  const listener: WorkerProcessListener = {
    message: ({ kind }) => heard.push(kind),
    line: (text) => heard.push(text),
    exited: ({ code }) => heard.push(`exit ${code}`),
  };
  return { heard, listener };
}

describe('a worker process that is started before its supervisor', () => {
  it('tells what it has told before somebody took it, in order, and what it tells later', async () => {
    const first = new FirstProcess(TALKS);
    const { heard, listener } = recorder();
    const process = first.take(listener);
    assert.ok(process);
    assert.deepEqual(heard, [], 'who takes it has not got it yet');
    await eventually(() => assert.deepEqual(heard, ['ready']));
    process.send('stop');
    await eventually(() => assert.equal(heard.length, 3));
    assert.match(heard[1] ?? '', /stop/);
    assert.match(heard[2] ?? '', /^exit/);
  });

  it('tells of its end though it came before somebody took it', async () => {
    const first = new FirstProcess(join(import.meta.dirname, 'no-such-process.js'));
    const kept = (first as unknown as { kept: unknown[] }).kept;
    const ended = (first as unknown as { process: { child: { exitCode: number | null } } }).process.child;
    await eventually(() => assert.notEqual(ended.exitCode, null), { timeout: 10_000 });
    await eventually(() => assert.ok(kept.length > 0));
    const { heard, listener } = recorder();
    first.take(listener);
    await eventually(() => assert.equal(heard.at(-1), 'exit 1'));
    assert.match(heard.join('\n'), /Cannot find module/);
  });

  it('is given to one alone', async () => {
    const first = new FirstProcess(TALKS);
    const { heard, listener } = recorder();
    const process = first.take(listener);
    assert.equal(first.take(listener), undefined);
    await eventually(() => assert.deepEqual(heard, ['ready']));
    process?.kill();
    await eventually(() => assert.equal(heard.length, 2));
  });
});
