import assert from 'node:assert/strict';
import { type Account, Ledger } from '../support/account.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { freePorts } from '../support/broker/ports.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { deadLettersOf, faultBus, raw, stopAll, uniqueName } from './fixture.js';
import { killWorkers, startWorker, type Worker } from './worker.js';

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

  /** Publishes a numbered message once the worker takes messages. */
  async function send(ledger: Ledger, worker: Worker, service: string, number = 1): Promise<void> {
    await eventually(() => worker.said.includes('started'));
    const { bus } = faultBus(node.url, { service: uniqueName('sender'), prefix: service });
    await bus.start();
    await ledger.publish(bus, 'work', number);
  }

  /** Enters what workers have handled, and closes the books. */
  function account(ledger: Ledger, ...workers: Worker[]): Account {
    for (const { said } of workers)
      for (const what of said) if (what.startsWith('handled ')) ledger.handled(Number(what.slice(8)));
    assert.deepEqual(ledger.errors, []);
    return ledger.assertBalanced();
  }

  it('finish what they handle on SIGTERM, settle it, and exit with 0 [row 17]', async () => {
    const service = uniqueName('worker');
    const ledger = new Ledger();
    const results: unknown[] = [];
    const reader = faultBus(node.url, { service: uniqueName('reader'), prefix: service });
    reader.bus.handle('result', (payload) => void results.push(payload));
    await reader.bus.start();
    const worker = startWorker('handles slowly', node.url, service);
    await send(ledger, worker, service);
    await eventually(() => worker.said.includes('began'));
    worker.process.kill('SIGTERM');
    assert.equal(await worker.end, 0);
    assert.deepEqual(
      worker.said.filter((what) => what !== 'started'),
      ['up', 'began', 'handled 1'],
    );
    // Published at the handler's end, and nobody waited for its confirm but stop().
    await eventually(() => assert.deepEqual(results, [{ number: 100 }]));
    const heir = startWorker('handles', node.url, service);
    await send(ledger, heir, service, 2);
    await eventually(() => heir.said.includes('handled 2'));
    assert.equal(account(ledger, worker, heir).duplicated, 0);
  });

  it('end in order on a SIGTERM that comes while they still look for the broker [row 17]', async () => {
    const [unused] = await freePorts(1);
    const worker = startWorker(
      'handles',
      node.url.replace(`:${node.port}`, `:${unused}`),
      uniqueName('worker'),
    );
    await eventually(() => worker.said.includes('up'));
    worker.process.kill('SIGTERM');
    assert.equal(await worker.end, 0);
    assert.deepEqual(worker.said, ['up']);
  });

  it('give back at their deadline what they could not finish, and exit with 1 [row 17]', async () => {
    const service = uniqueName('worker');
    const ledger = new Ledger();
    const worker = startWorker('never ends', node.url, service);
    await send(ledger, worker, service);
    await eventually(() => worker.said.includes('began'));
    worker.process.kill('SIGTERM');
    assert.equal(await worker.end, 1);
    const heir = startWorker('handles', node.url, service);
    await eventually(() => heir.said.includes('began again') && heir.said.includes('handled 1'));
    account(ledger, worker, heir);
  });

  it('that are killed leave their message to another [row 16]', async () => {
    const service = uniqueName('worker');
    const ledger = new Ledger();
    const worker = startWorker('never ends', node.url, service);
    await send(ledger, worker, service);
    await eventually(() => worker.said.includes('began'));
    worker.process.kill('SIGKILL');
    assert.equal(await worker.end, 'SIGKILL');
    const heir = startWorker('handles', node.url, service);
    await eventually(() => heir.said.includes('began again') && heir.said.includes('handled 1'));
    account(ledger, worker, heir);
  });

  it('that are killed between a retry and its ack leave a duplicate, never a loss [row 33]', async () => {
    const service = uniqueName('worker');
    const ledger = new Ledger();
    const worker = startWorker('dies between a retry and its ack', node.url, service);
    await send(ledger, worker, service);
    assert.equal(await worker.end, 'SIGKILL');
    // Both came back: the original, whose first attempt fails again, and the copy of its first failure.
    const heir = startWorker('dies between a retry and its ack', node.url, service);
    assert.equal(await heir.end, 'SIGKILL');
    const last = startWorker('handles', node.url, service);
    await eventually(() => assert.ok(last.said.filter((what) => what === 'handled 1').length >= 2));
    await eventually(async () => {
      const own = (await node.queues('messages')).filter(({ name }) => name.startsWith(service));
      assert.deepEqual(
        own.filter(({ messages }) => messages !== 0),
        [],
      );
    });
    assert.equal(account(ledger, worker, heir, last).duplicated, 1);
  });

  it('that one message kills over and over lose that one to the dead letters, and no other [row 19]', async () => {
    const service = uniqueName('worker');
    const queue = `${service}.poisoned`;
    const poison = 66;
    const ledger = new Ledger();
    const workers = [startWorker('dies of poison', node.url, service)];
    const worker = () => workers.at(-1) as Worker;
    await send(ledger, worker(), service, 0);
    await eventually(() => worker().said.includes('handled 0'));
    const { bus } = faultBus(node.url, { service: uniqueName('sender'), prefix: service });
    await bus.start();
    await Promise.all(Array.from({ length: 100 }, (_, index) => ledger.publish(bus, 'work', index + 1)));

    let deaths = 0;
    const handled = () =>
      new Set(workers.flatMap(({ said }) => said.filter((what) => what.startsWith('handled '))));
    const deadLetters = () => deadLettersOf(node, queue);
    await eventually(
      async () => {
        if (worker().process.exitCode !== null) {
          assert.equal(await worker().end, 13);
          deaths += 1;
          workers.push(startWorker('dies of poison', node.url, service));
        }
        return handled().size === 100 && (await deadLetters()) > 0;
      },
      { timeout: 45_000, interval: 100 },
    );
    assert.equal(await deadLetters(), 1);
    const letter = await raw(node, (channel) => channel.get(`${queue}.dead`, { noAck: true }));
    assert.ok(letter);
    assert.deepEqual(JSON.parse(letter.content.toString()), { number: poison });
    assert.equal(letter.properties.headers?.['x-first-death-reason'], 'delivery_limit');
    assert.equal(deaths, 6, 'the limit of 5 is for failed deliveries; the one after it is the last');
    ledger.deadLettered(poison);
    const { attempted, confirmed, handled: count } = account(ledger, ...workers);
    assert.deepEqual([attempted, confirmed, count], [101, 101, 100]);
  });
});
