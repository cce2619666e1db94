import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, stopAll, uniqueName } from './fixture.js';

interface Worker {
  readonly process: ChildProcess;
  readonly said: string[];
  /** Exit code, or the signal that ended it. */
  readonly end: Promise<number | string>;
}

describe('workers', function () {
  this.timeout(60_000);
  let node: PrivateNode;
  const workers: Worker[] = [];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(async () => {
    for (const { process: child } of workers) child.kill('SIGKILL');
    await Promise.all(workers.splice(0).map(({ end }) => end));
    await stopAll();
  });

  /** Starts one, and resolves when a message is in its handler. */
  async function working(service: string, handlerMs: number): Promise<Worker> {
    const file = fileURLToPath(new URL('./worker-process.js', import.meta.url));
    const child = fork(file, [node.url, service, String(handlerMs)]);
    const said: string[] = [];
    child.on('message', (what) => said.push(String(what)));
    const end = once(child, 'exit').then(([code, signal]) => code ?? signal);
    const worker = { process: child, said, end };
    workers.push(worker);
    return worker;
  }

  async function send(service: string): Promise<void> {
    const { bus } = faultBus(node.url, { service: uniqueName('sender'), prefix: service });
    await bus.start();
    // Until the worker has declared its queue nobody takes it.
    await eventually(() => bus.send('work', {}).then(() => true));
  }

  it('finish what they handle on SIGTERM, settle it, and exit with 0', async () => {
    const service = uniqueName('worker');
    const worker = await working(service, 500);
    await send(service);
    await eventually(() => worker.said.includes('began'));
    worker.process.kill('SIGTERM');
    assert.equal(await worker.end, 0);
    assert.deepEqual(worker.said, ['up', 'began', 'ended']);
    const heir = await working(service, 0);
    await send(service);
    await eventually(() => heir.said.includes('ended'));
    assert.ok(!heir.said.includes('began again'));
  });

  it('give back at their deadline what they could not finish, and exit with 1', async () => {
    const service = uniqueName('worker');
    const worker = await working(service, 60_000);
    await send(service);
    await eventually(() => worker.said.includes('began'));
    worker.process.kill('SIGTERM');
    assert.equal(await worker.end, 1);
    const heir = await working(service, 0);
    await eventually(() => heir.said.includes('began again') && heir.said.includes('ended'));
  });

  it('that are killed leave their message to another', async () => {
    const service = uniqueName('worker');
    const worker = await working(service, 60_000);
    await send(service);
    await eventually(() => worker.said.includes('began'));
    worker.process.kill('SIGKILL');
    assert.equal(await worker.end, 'SIGKILL');
    const heir = await working(service, 0);
    await eventually(() => heir.said.includes('began again') && heir.said.includes('ended'));
  });
});
