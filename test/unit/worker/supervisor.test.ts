import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/util/logger.js';
import { EXIT, Supervisor } from '../../../src/worker/supervisor.js';
import { eventually } from '../../support/eventually.js';
import { READY, REFUSED, TestProcess } from './test-process.js';

function supervise(count: number) {
  const processes: TestProcess[] = [];
  const errors: string[] = [];
  const supervisor = new Supervisor({
    processes: count,
    spawn: (listener) => {
      const process = new TestProcess(processes.length + 1, listener);
      processes.push(process);
      return process;
    },
    log: { ...silentLogger, error: (_fields, message) => void errors.push(message) },
    onLine: () => {},
    crashes: 3,
    killAfterMs: 60_000,
  });
  const ended = supervisor.run();
  const stop = () => {
    supervisor.stop();
    for (const process of processes) process.exits(0);
    return ended;
  };
  return {
    supervisor,
    ended,
    stop,
    processes,
    errors,
    at: (number: number) => processes[number - 1] as TestProcess,
  };
}

describe('the supervisor of workers', () => {
  it('ends when the application cannot be run from the first', async () => {
    const { ended, processes, at, errors } = supervise(2);
    at(1).says(REFUSED);
    assert.deepEqual(at(2).sent, ['stop']);
    for (const process of processes) process.exits(2);
    assert.equal(await ended, EXIT.refused);
    assert.equal(errors[0], "the application can't be run: there is no queue 'x'");
  });

  it('ends when no process can load the application, and only then', async () => {
    const unloadable = { ...REFUSED, whileLoading: true };
    const { ended, processes, at } = supervise(2);
    at(1).says(unloadable);
    at(1).exits(2);
    assert.deepEqual(at(2).sent, []);
    at(2).says(unloadable);
    at(2).exits(2);
    assert.equal(await ended, EXIT.refused);
    const other = supervise(2);
    other.at(2).says({ kind: 'loaded' });
    other.at(1).says(unloadable);
    other.at(1).exits(2);
    await eventually(() => assert.equal(other.processes.length, 3));
    assert.equal(await other.stop(), EXIT.done);
    assert.equal(processes.length, 2);
  });

  it('leaves what works alone, and gives a restart up, when what is to replace it cannot be run', async () => {
    const { supervisor, stop, processes, at, errors } = supervise(3);
    for (const process of processes) process.says(READY);
    const restarted = supervisor.restart('a restart was asked for');
    at(4).says(REFUSED);
    at(4).exits(2);
    await restarted;
    assert.equal(processes.length, 4);
    assert.deepEqual(
      processes.map(({ sent }) => sent),
      [[], [], [], []],
    );
    assert.deepEqual(errors, [
      "worker 1 can't be replaced: there is no queue 'x'; the old process goes on",
      'the restart is given up: a new process cannot run the application as it is now',
    ]);
    assert.equal(await stop(), EXIT.done);
  });

  it('replaces all once what was released is mended', async () => {
    const { supervisor, stop, processes, at } = supervise(2);
    for (const process of processes) process.says(READY);
    const given = supervisor.restart('a restart was asked for');
    at(3).says(REFUSED);
    at(3).exits(2);
    await given;
    const restarted = supervisor.restart('a restart was asked for');
    at(4).says(READY);
    await eventually(() => assert.equal(processes.length, 5));
    at(5).says(READY);
    await restarted;
    assert.deepEqual([at(1).sent, at(2).sent], [['stop'], ['stop']]);
    assert.equal(await stop(), EXIT.done);
  });

  it('replaces all once for one word of an operator, though a busy worker hears it when it was replaced', async () => {
    const { supervisor, stop, processes, at } = supervise(2);
    for (const process of processes) process.says(READY);
    at(1).says({ kind: 'restart' });
    at(3).says(READY);
    await eventually(() => assert.equal(processes.length, 4));
    // It is the one that is under way.
    const restarted = supervisor.restart('an operator has asked for a restart');
    at(4).says(READY);
    await restarted;
    at(1).exits(0);
    at(2).says({ kind: 'restart' });
    at(2).exits(0);
    assert.equal(await stop(), EXIT.done);
    assert.equal(processes.length, 4);
  });
});
