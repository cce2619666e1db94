import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type FromWorker, marked, toWorker } from '../../../src/worker/protocol.js';
import { type Exit, WorkerProcess } from '../../../src/worker/worker-process.js';
import { eventually } from '../../support/eventually.js';

const ENTRY = join(import.meta.dirname, 'talking-process.js');

describe('a worker process', () => {
  it('is heard by its own messages alone, whatever else its application sends over the channel', async () => {
    const heard: FromWorker[] = [];
    const lines: string[] = [];
    const exits: Exit[] = [];
    const process = new WorkerProcess(ENTRY, {
      message: (message) => heard.push(message),
      line: (text) => lines.push(text),
      exited: (exit) => exits.push(exit),
    });
    await eventually(() => assert.equal(heard.length, 1));
    process.send('stop');
    await eventually(() => assert.equal(exits.length, 1));
    assert.deepEqual(heard, [{ kind: 'ready' }]);
    assert.deepEqual(lines, [JSON.stringify(marked('stop'))]);
  });

  it('is gone when it has ended, though a process that it has started keeps its output open', async () => {
    const exits: Exit[] = [];
    const lines: string[] = [];
    new WorkerProcess(join(import.meta.dirname, 'leaving-process.js'), {
      message: () => {},
      line: (text) => lines.push(text),
      exited: (exit) => exits.push(exit),
    });
    await eventually(() => assert.deepEqual(exits, [{ code: 3, signal: null }]), { timeout: 5_000 });
    process.kill(Number(lines[0]));
  });

  it('heeds only what its supervisor tells', () => {
    for (const word of ['stop', 'cancel']) assert.equal(toWorker(marked(word)), word);
    const answer = { kind: 'go', number: 1 };
    assert.deepEqual(toWorker(marked(answer)), answer);
    for (const foreign of [
      marked({ kind: 'stay' }),
      marked({ number: 1 }),
      null,
      undefined,
      'stop',
      0,
      {},
      { hopline: {} },
      marked('start'),
    ])
      assert.equal(toWorker(foreign), undefined);
  });
});
