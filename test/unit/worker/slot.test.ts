import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/util/logger.js';
import { Slot, type SlotOptions } from '../../../src/worker/slot.js';
import { Suspects } from '../../../src/worker/suspects.js';
import { eventually } from '../../support/eventually.js';
import { READY, REFUSED, RETIRING, TestProcess } from './test-process.js';

function open(options: Partial<SlotOptions> = {}) {
  const processes: TestProcess[] = [];
  const errors: string[] = [];
  const slot = new Slot({
    number: 1,
    spawn: (listener) => {
      const process = new TestProcess(processes.length + 1, listener);
      processes.push(process);
      return process;
    },
    log: { ...silentLogger, error: (_fields, message) => void errors.push(message) },
    onLine: () => {},
    onLoad: () => {},
    onRestart: () => {},
    onReady: () => {},
    onRefused: () => {},
    onLoaded: () => {},
    suspects: new Suspects(3),
    crashes: 3,
    killAfterMs: 50,
    ...options,
  });
  slot.start();
  return { slot, processes, errors, at: (number: number) => processes[number - 1] as TestProcess };
}

describe('the place of a worker', () => {
  it('has its process replaced once the next one is ready, and not before', async () => {
    const { slot, processes, at } = open();
    at(1).says(READY, RETIRING);
    assert.equal(processes.length, 2);
    assert.deepEqual(at(1).sent, []);
    at(2).says(READY);
    assert.deepEqual(at(1).sent, ['stop']);
    at(1).exits(0);
    slot.stop();
    assert.deepEqual(at(2).sent, ['stop']);
    at(2).exits(0);
    assert.equal(await slot.ended, true);
  });

  it('keeps its process while the one that is to replace it crashes, and tries again', async () => {
    const { slot, processes, at } = open();
    at(1).says(READY, RETIRING);
    at(2).exits(1);
    assert.deepEqual(at(1).sent, []);
    await eventually(() => assert.equal(processes.length, 3));
    at(3).says(READY);
    assert.deepEqual(at(1).sent, ['stop']);
    at(1).exits(0);
    slot.stop();
    at(3).exits(0);
    assert.equal(await slot.ended, true);
  });

  it('keeps its process when the one that is to replace it cannot work, and gives that up', async () => {
    const { slot, processes, at, errors } = open();
    at(1).says(READY);
    const replaced = slot.replace('a restart was asked for');
    at(2).says(REFUSED);
    assert.equal(await replaced, false);
    at(2).exits(2);
    assert.deepEqual(errors, ["worker 1 can't be replaced: there is no queue 'x'; the old process goes on"]);
    assert.deepEqual(at(1).sent, []);
    slot.stop();
    at(1).exits(0);
    assert.equal(await slot.ended, true);
    assert.equal(processes.length, 2);
  });

  it('tries again to replace a process that has reached a limit when its next one cannot work', async () => {
    const { slot, processes, at, errors } = open();
    at(1).says(READY, RETIRING);
    at(2).says(REFUSED);
    at(2).exits(2);
    assert.match(String(errors), /; the old process goes on, and another is tried in \d+ms$/);
    await eventually(() => assert.equal(processes.length, 3));
    at(3).says(READY);
    assert.deepEqual(at(1).sent, ['stop']);
    at(1).exits(0);
    slot.stop();
    at(3).exits(0);
    assert.equal(await slot.ended, true);
  });

  it('starts a process again that has crashed and then cannot work: what was released may be mended', async () => {
    const { slot, processes, at, errors } = open();
    at(1).says(READY);
    at(1).exits(1);
    const replaced = slot.replace('a restart was asked for');
    at(2).says(REFUSED);
    assert.equal(await replaced, false);
    at(2).exits(2);
    assert.match(String(errors[1]), /^worker 1 can't be run: there is no queue 'x'; it is started again in /);
    await eventually(() => assert.equal(processes.length, 3));
    at(3).says(READY);
    slot.stop();
    at(3).exits(0);
    assert.equal(await slot.ended, true);
  });

  it('has the next one take over at once when the one to be replaced crashes', async () => {
    const { slot, processes, at, errors } = open();
    at(1).says(READY, RETIRING);
    at(1).exits(1);
    at(2).says(READY);
    assert.deepEqual(errors, ['worker 1 has ended with exit code 1, while it was being replaced']);
    assert.equal(processes.length, 2);
    slot.stop();
    for (const process of processes) process.exits(0);
    assert.equal(await slot.ended, true);
  });

  it('starts a crashed one at once when it is to be replaced', async () => {
    const { slot, processes, at } = open();
    at(1).says(READY);
    at(1).exits(1);
    const replaced = slot.replace('a restart was asked for');
    assert.equal(processes.length, 2);
    at(2).says(READY);
    await replaced;
    slot.stop();
    at(2).exits(0);
    assert.equal(await slot.ended, true);
  });

  it('is replaced once, though a next one had crashed and was to be started again', async () => {
    const { slot, processes, at } = open();
    at(1).says(READY, RETIRING);
    at(2).exits(1);
    void slot.replace('a restart was asked for');
    at(3).says(READY);
    at(1).exits(0);
    // Of a second crash the pause is longer than that of the first.
    const other = open();
    other.at(1).exits(1);
    void other.slot.replace('a restart was asked for');
    other.at(2).exits(1);
    await eventually(() => assert.equal(other.processes.length, 3));
    assert.equal(processes.length, 3);
    slot.stop();
    other.slot.stop();
    at(3).exits(0);
    other.at(3).exits(0);
    assert.equal(await slot.ended, true);
  });

  it('is over when it is stopped between a crash and the next start', async () => {
    const { slot, processes, at } = open();
    at(1).exits(1);
    slot.stop();
    assert.equal(await slot.ended, true);
    assert.equal(processes.length, 1);
  });

  it('starts a process again without growing pauses when a message is to blame for its end', async () => {
    const { slot, processes, at, errors } = open();
    const die = (process: TestProcess, how: 'alone' | 'beside') => {
      process.says(READY, { kind: 'loaded' });
      process.says({ kind: 'begins', number: 1, queue: 'q', messageId: 'm', digest: 'd' });
      process.says({ kind: how, number: 1 });
      process.exits(13);
    };
    die(at(1), 'beside');
    for (const number of [2, 3, 4]) {
      await eventually(() => assert.equal(processes.length, number));
      die(at(number), 'alone');
    }
    await eventually(() => assert.equal(processes.length, 5));
    at(5).says(READY, { kind: 'begins', number: 1, queue: 'q', messageId: 'm', digest: 'd' });
    const deaths = ['exit code 13', 'exit code 13', 'exit code 13'];
    assert.deepEqual(at(5).sent, [{ kind: 'crashed', number: 1, deaths }]);
    assert.match(
      String(errors[3]),
      /nothing but one message of 'q', 3 of 3 times; it is started again in 100ms/,
    );
    slot.stop();
    at(5).exits(0);
    assert.equal(await slot.ended, true);
  });

  it('tells of a process that does not become ready, and how far it is', async () => {
    const warnings: string[] = [];
    const warn = (_fields: object, message: string) => void warnings.push(message);
    const { slot, at } = open({ lateAfterMs: 20, log: { ...silentLogger, warn } });
    at(1).says({ kind: 'loads' }, { kind: 'loaded' });
    await eventually(() => assert.equal(warnings.length, 1));
    assert.equal(warnings[0], 'worker 1 is not ready after 20ms: its buses have not started');
    slot.stop();
    at(1).exits(0);
    await slot.ended;
  });

  it('takes no process for one that left work behind which was ended before it could listen', async () => {
    const { slot, at } = open();
    slot.stop();
    at(1).exits(143);
    assert.equal(await slot.ended, true);
  });

  it('kills a process that does not stop, and says that it left work behind', async () => {
    const { slot, at } = open();
    at(1).says(READY);
    slot.stop();
    await eventually(() => assert.deepEqual(at(1).sent, ['stop', 'kill']));
    at(1).exits(137);
    assert.equal(await slot.ended, false);
  });
});
