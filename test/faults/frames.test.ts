import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConnectError, HoplineError, rabbitmq } from '../../src/index.js';
import { openControl } from '../../src/operate.js';
import { Ledger } from '../support/account.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { FrameProxy, type Method } from '../support/frame-proxy.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, raw, stopAll, through, uniqueName } from './fixture.js';

describe('a connection that fails exactly', function () {
  this.timeout(60_000);
  let node: PrivateNode;
  let proxy: FrameProxy;
  let url: string;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  beforeEach(async () => {
    proxy = await FrameProxy.start({ host: '127.0.0.1', port: node.port });
    url = through(proxy, node);
  });

  afterEach(async () => {
    await stopAll();
    await proxy.close();
  });

  it('while it is given the word of what is paused asks again on the next, and start() goes on', async () => {
    const names = { service: uniqueName('service'), prefix: uniqueName('prefix') };
    const queue = uniqueName('queue');
    const first = faultBus(node.url, names).bus.handle('load', () => {}, { queue });
    await first.start();
    const control = await openControl({ transport: rabbitmq({ url: node.url }), prefix: names.prefix });
    await control.pause(queue);
    await control.close();
    await first.stop();

    const { bus } = faultBus(url, { ...names, startDeadline: Number.POSITIVE_INFINITY });
    bus.handle('load', () => {}, { queue });
    const stop = proxy.stopAt('broker', 'basic.deliver');
    const starting = bus.start();
    await stop.reached;
    stop.reset();
    await starting;
    await eventually(() => assert.equal(bus.health().consumers[0]?.state, 'paused'));
  });

  it('while it is asked which queues were migrated is followed by the next, and start() goes on', async () => {
    const { bus } = faultBus(url);
    bus.handle('load', () => {}, { queue: uniqueName('queue') });
    const cut = proxy.cutAt('.migrations');
    const starting = bus.start();
    await eventually(() => assert.equal(cut.count, 1));
    cut.lift();
    await starting;
  });

  const atStart: Method[] = [
    'channel.open-ok',
    'confirm.select-ok',
    'exchange.declare-ok',
    'queue.declare-ok',
    'queue.bind-ok',
    'basic.qos-ok',
    'basic.consume-ok',
  ];

  /** With operators to hear, the first of some frames is about that. */
  const starts = atStart.flatMap((method) => [true, false].map((control) => ({ method, control })));

  for (const { method, control } of starts) {
    const who = control ? 'a start' : 'a start that hears no operators';
    it(`at ${method} of ${who} lets start() end, by success or by a typed error, and be called again`, async () => {
      const { bus } = faultBus(url, { startDeadline: '10s', operatorControl: control });
      const ledger = new Ledger();
      bus.handle('load', ({ number }) => ledger.handled(number), { queue: uniqueName('queue') });
      const stop = proxy.stopAt('broker', method);
      const starting = bus.start().catch((error) => error);
      await stop.reached;
      stop.reset();
      const error = await starting;
      if (error !== undefined) {
        assert.ok(error instanceof HoplineError, `${error.name}: ${error.message}`);
        await bus.start();
      }
      await ledger.publish(bus, 'load', 1);
      await eventually(() => ledger.missing === 0);
      ledger.assertBalanced();
    });
  }

  for (const method of ['basic.cancel-ok', 'basic.qos-ok', 'basic.consume-ok'] as const) {
    it(`at ${method} while the window is changed goes on with the next, and stop() is not held up`, async () => {
      const { bus } = faultBus(url);
      const ledger = new Ledger();
      bus.handle('load', ({ number }) => ledger.handled(number), { queue: uniqueName('queue') });
      await bus.start();
      const stop = proxy.stopAt('broker', method);
      await ledger.publish(bus, 'load', 0); // widens the window
      await stop.reached;
      stop.reset();
      await Promise.all(Array.from({ length: 50 }, (_, index) => ledger.publish(bus, 'load', index + 1)));
      await eventually(() => assert.equal(ledger.missing, 0));
      ledger.assertBalanced();
      assert.deepEqual(ledger.errors, []);
      const startedAt = performance.now();
      await bus.stop();
      assert.ok(performance.now() - startedAt < 3_000);
    });
  }

  it('when the queue is deleted between the accepted consume and its answer, consumes again', async () => {
    const queue = uniqueName('queue');
    const { bus, seen, log, events } = faultBus(url, { operatorControl: false });
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number), { queue });
    const stop = proxy.stopAt('broker', 'basic.consume-ok');
    const starting = bus.start();
    await stop.reached;
    await raw(node, (channel) => channel.deleteQueue(queue));
    stop.release();
    await starting;
    await eventually(() => assert.equal(seen('consumer.restored').length, 1));
    await ledger.publish(bus, 'load', 1);
    await eventually(() => assert.equal(ledger.missing, 0, JSON.stringify([log, events])));
    ledger.assertBalanced();
  });

  for (const [from, method] of [
    ['broker', 'basic.deliver'],
    ['client', 'basic.publish'],
    ['client', 'basic.ack'],
    ['broker', 'basic.ack'],
  ] as const) {
    it(`in the middle of a ${method} from the ${from} loses nothing`, async () => {
      const { bus, seen } = faultBus(url);
      const ledger = new Ledger();
      bus.handle('load', ({ number }) => ledger.handled(number), { queue: uniqueName('queue') });
      await bus.start();
      await ledger.publish(bus, 'load', 0);
      await eventually(() => ledger.missing === 0);
      const stop = proxy.stopAt(from, method);
      const publishing = Promise.all(
        Array.from({ length: 50 }, (_, index) => ledger.publish(bus, 'load', index + 1)),
      );
      await stop.reached;
      stop.cut();
      await publishing;
      await eventually(() => ledger.missing === 0);
      ledger.assertBalanced();
      assert.deepEqual(ledger.errors, []);
      assert.equal(seen('connection.down').length, 1);
    });
  }

  it('by sending what is no AMQP is replaced', async () => {
    const { bus, seen } = faultBus(url);
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number), { queue: uniqueName('queue') });
    await bus.start();
    proxy.garble(Buffer.alloc(64, 0xfe));
    await eventually(() => assert.equal(seen('connection.up').length, 4));
    await ledger.publish(bus, 'load', 1);
    await eventually(() => ledger.missing === 0);
    ledger.assertBalanced();
  });

  it('because it speaks HTTP fails start() by its deadline, with what it said', async () => {
    const server = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { bus } = faultBus(`amqp://127.0.0.1:${port}`, { startDeadline: '1s' });
    await assert.rejects(bus.start(), (error: ConnectError) => {
      assert.ok(error instanceof ConnectError);
      return true;
    });
    server.close();
  });
});
