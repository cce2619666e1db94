import assert from 'node:assert/strict';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, raw, stopAll, uniqueName } from './fixture.js';
import { killWorkers, startWorker } from './worker.js';

describe('workers', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(async () => {
    await killWorkers();
    await stopAll();
  });

  async function send(service: string): Promise<void> {
    const { bus } = faultBus(node.url, { service: uniqueName('sender'), prefix: service });
    await bus.start();
    // Until the worker has declared its queue nobody takes it.
    await eventually(() => bus.send('work', {}).then(() => true));
  }

  it('finish what they handle on SIGTERM, settle it, and exit with 0 [row 17]', async () => {
    const service = uniqueName('worker');
    const worker = startWorker('handles slowly', node.url, service);
    await send(service);
    await eventually(() => worker.said.includes('began') && worker.said.includes('started'));
    worker.process.kill('SIGTERM');
    assert.equal(await worker.end, 0);
    assert.deepEqual(
      worker.said.filter((what) => what !== 'started'),
      ['up', 'began', 'ended'],
    );
    const heir = startWorker('handles', node.url, service);
    await send(service);
    await eventually(() => heir.said.includes('ended'));
    assert.ok(!heir.said.includes('began again'));
  });

  it('give back at their deadline what they could not finish, and exit with 1 [row 17]', async () => {
    const service = uniqueName('worker');
    const worker = startWorker('never ends', node.url, service);
    await send(service);
    await eventually(() => worker.said.includes('began') && worker.said.includes('started'));
    worker.process.kill('SIGTERM');
    assert.equal(await worker.end, 1);
    const heir = startWorker('handles', node.url, service);
    await eventually(() => heir.said.includes('began again') && heir.said.includes('ended'));
  });

  it('that are killed leave their message to another [row 16]', async () => {
    const service = uniqueName('worker');
    const worker = startWorker('never ends', node.url, service);
    await send(service);
    await eventually(() => worker.said.includes('began'));
    worker.process.kill('SIGKILL');
    assert.equal(await worker.end, 'SIGKILL');
    const heir = startWorker('handles', node.url, service);
    await eventually(() => heir.said.includes('began again') && heir.said.includes('ended'));
  });

  it('that are killed between a retry and its ack leave a duplicate, never a loss [row 33]', async () => {
    const service = uniqueName('worker');
    const worker = startWorker('dies between a retry and its ack', node.url, service);
    await send(service);
    assert.equal(await worker.end, 'SIGKILL');
    // Both came back: the original, whose first attempt fails again, and the copy of its first failure.
    const heir = startWorker('dies between a retry and its ack', node.url, service);
    assert.equal(await heir.end, 'SIGKILL');
    const last = startWorker('handles', node.url, service);
    await eventually(() => assert.ok(last.said.filter((what) => what === 'ended').length >= 2));
    await eventually(async () => {
      const rows = JSON.parse(await node.ctl('list_queues', 'name', 'messages', '--formatter', 'json'));
      assert.deepEqual(
        (rows as { name: string; messages: number }[]).filter(
          ({ name, messages }) => name.startsWith(service) && messages > 0,
        ),
        [],
      );
    });
  });

  it('that one message kills over and over lose that one to the dead letters, and no other [row 19]', async () => {
    const service = uniqueName('worker');
    const queue = `${service}.poisoned`;
    const { bus } = faultBus(node.url, { service: uniqueName('sender'), prefix: service });
    const first = startWorker('dies of poison', node.url, service);
    await bus.start();
    await eventually(() => bus.send('work', { number: 0 }).then(() => true));
    await eventually(() => first.said.includes('handled 0'));
    const handled = new Set<string>();
    const payloads = Array.from({ length: 99 }, (_, index) => ({ number: index + 1 }));
    const poisoned = [...payloads.slice(0, 50), { poison: true }, ...payloads.slice(50)];
    await Promise.all(poisoned.map((payload) => bus.send('work', payload)));

    let worker = first;
    let deaths = 0;
    const note = () => {
      for (const what of worker.said) if (what.startsWith('handled ')) handled.add(what);
    };
    const deadLetters = () =>
      raw(node, async (channel) => (await channel.checkQueue(`${queue}.dead`)).messageCount);
    await eventually(
      async () => {
        note();
        if (worker.process.exitCode !== null) {
          assert.equal(await worker.end, 13);
          note();
          deaths += 1;
          worker = startWorker('dies of poison', node.url, service);
        }
        return handled.size === 100 && (await deadLetters()) > 0;
      },
      { timeout: 45_000, interval: 100 },
    );
    assert.equal(await deadLetters(), 1);
    const letter = await raw(node, (channel) => channel.get(`${queue}.dead`, { noAck: true }));
    assert.ok(letter);
    assert.deepEqual(JSON.parse(letter.content.toString()), { poison: true });
    assert.equal(letter.properties.headers?.['x-first-death-reason'], 'delivery_limit');
    assert.equal(deaths, 6, 'the limit of 5 is for failed deliveries; the one after it is the last');
  });
});
