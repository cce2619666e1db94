import assert from 'node:assert/strict';
import { PublishTimeoutError, rabbitmq } from '../../src/index.js';
import { ControlError, openControl } from '../../src/operate.js';
import { Ledger } from '../support/account.js';
import { ALARMS } from '../support/alarms.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, stopAll, uniqueName } from './fixture.js';
import { killWorkers, startWorker } from './worker.js';

const ROWS = { 'memory alarm [row 11]': ALARMS.memory, 'disk alarm [row 12]': ALARMS.disk };

describe('alarms', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(async () => {
    for (const { off } of Object.values(ALARMS)) await node.ctl(...off);
    await killWorkers();
    await stopAll();
  });

  it('tell an operator why the workers can not be asked', async () => {
    const prefix = uniqueName('prefix');
    const { bus } = faultBus(node.url, { prefix });
    await bus.handle('k', () => {}, { queue: uniqueName('queue') }).start();
    const control = await openControl({
      transport: rabbitmq({ url: node.url }),
      prefix,
    });
    try {
      await control.status();
      await node.ctl(...ALARMS.memory.on);
      await assert.rejects(control.status(), (error) => {
        assert.ok(error instanceof ControlError);
        assert.match(
          error.help,
          /^Run `hopline doctor`: during a memory or disk alarm the broker takes no messages/,
        );
        return true;
      });
    } finally {
      await control.close();
    }
  });

  for (const [name, alarm] of Object.entries(ROWS)) {
    it(`let publishes wait to their deadline, and handlers go on and settle: ${name}`, async () => {
      const { bus, seen } = faultBus(node.url);
      const ledger = new Ledger();
      const running: (() => void)[] = [];
      const queue = uniqueName('queue');
      bus.handle(
        'load',
        async ({ number }) => {
          await new Promise<void>((resolve) => void running.push(resolve));
          ledger.handled(number);
        },
        { queue, concurrency: 5 },
      );
      await bus.start();
      await ledger.publish(bus, 'load', 0);
      await eventually(() => running.length === 1);
      running.pop()?.(); // widens the window
      await Promise.all([1, 2, 3].map((number) => ledger.publish(bus, 'load', number)));
      await eventually(() => running.length === 3);
      await node.ctl(...alarm.on);
      // The broker blocks a connection when it next publishes.
      const waiting = ledger.publish(bus, 'load', 4);
      await eventually(() => seen('connection.blocked').length > 0);
      const late = bus.publish('nobody.cares', {}, { deadline: '200ms' });
      await assert.rejects(late, (error: PublishTimeoutError) => {
        assert.ok(error instanceof PublishTimeoutError);
        assert.match(error.message, /the broker blocks publishers \(a memory or disk alarm\)/);
        return true;
      });
      for (const finish of running.splice(0)) finish();
      await eventually(() => ledger.account().handled === 4);
      // Settled, not only handled: during the alarm the acks arrive, and nothing is left for another consumer.
      await eventually(async () => {
        const row = (await node.queues('messages')).find(({ name }) => name === queue);
        assert.equal(row?.messages, 0);
      });
      await node.ctl(...alarm.off);
      await waiting;
      await eventually(() => running.length === 1);
      running.pop()?.();
      await eventually(() => ledger.missing === 0);
      ledger.assertBalanced();
      assert.deepEqual(ledger.errors, []);
    });

    it(`do not keep stop() beyond its deadline, whatever waits: ${name}`, async () => {
      const { bus, seen } = faultBus(node.url, { stopDeadline: '1s' });
      await bus.start();
      await node.ctl(...alarm.on);
      const waiting = assert.rejects(bus.publish('other', {}));
      await eventually(() => seen('connection.blocked').length > 0);
      const startedAt = performance.now();
      await bus.stop().catch(() => {});
      const tookMs = performance.now() - startedAt;
      assert.ok(tookMs < 2_500, `${tookMs} ms`);
      await waiting;
    });
  }

  it('keep stop() no longer once their publishes have ended: a broker that reads nothing answers nothing', async () => {
    const { bus, seen } = faultBus(node.url);
    await bus.start();
    await node.ctl(...ALARMS.memory.on);
    await assert.rejects(bus.publish('other', {}, { deadline: '500ms' }));
    await eventually(() => seen('connection.blocked').length > 0);
    const startedAt = performance.now();
    await bus.stop();
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < 1_500, `${tookMs} ms`);
  });

  it('do not keep a worker from ending by its deadline after SIGTERM, its message given back [row 18]', async () => {
    const service = uniqueName('worker');
    const sender = faultBus(node.url, { service: uniqueName('sender'), prefix: service });
    await sender.bus.start();
    // It fails when it is told to stop, and its retry can't be published.
    const worker = startWorker('fails at stop', node.url, service);
    const ledger = new Ledger();
    await eventually(() => worker.said.includes('started'));
    await ledger.publish(sender.bus, 'work', 1);
    await eventually(() => worker.said.includes('began'));
    await node.ctl(...ALARMS.memory.on);
    worker.process.send('publish');
    await eventually(() => worker.said.includes('blocked'));
    const stoppedAt = performance.now();
    worker.process.kill('SIGTERM');
    const end = await worker.end;
    const tookMs = performance.now() - stoppedAt;
    assert.equal(end, 1);
    assert.ok(tookMs < 4_000, `${tookMs} ms, and the deadline is 2 s`);
    await node.ctl(...ALARMS.memory.off);
    const heir = startWorker('handles', node.url, service);
    await eventually(() => heir.said.includes('handled 1'));
    ledger.handled(1);
    ledger.assertBalanced();
  });
});
