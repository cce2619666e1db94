import assert from 'node:assert/strict';
import { TopologyError } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { Ledger } from '../support/account.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { faultBus, raw, stopAll, through, uniqueName } from './fixture.js';

describe('nothing is lost, and all goes on,', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  it('after a storm of resets, with one consumer', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    const { bus } = faultBus(through(proxy, node));
    const queue = uniqueName('queue');
    const ledger = new Ledger();
    bus.handle(
      'load',
      ({ number }, { attempt }) => {
        if (number % 10 === 0 && attempt === 1) throw new Error('once more');
        ledger.handled(number);
      },
      { queue, retry: { backoff: '100ms' } },
    );
    await bus.start();
    const publishing: Promise<void>[] = [];
    for (let round = 0; round < 15; round += 1) {
      for (let index = 0; index < 40; index += 1)
        publishing.push(ledger.publish(bus, 'load', round * 40 + index));
      const { confirms } = ledger;
      // Every third after some have been confirmed, the others while it still connects, opens, consumes.
      await eventually(() => proxy.connections > 0 && (round % 3 > 0 || ledger.confirms > confirms), {
        timeout: 20_000,
        interval: 5,
      });
      proxy.reset();
    }
    await Promise.all(publishing);
    await eventually(() => assert.equal(ledger.missing, 0), { timeout: 20_000 });
    ledger.assertBalanced();
    assert.deepEqual(ledger.errors, []);
    await eventually(async () => {
      const row = (await node.queues('messages', 'consumers')).find(({ name }) => name === queue);
      assert.deepEqual(row, { name: queue, messages: 0, consumers: 1 });
    });
    await bus.stop();
    await proxy.close();
  });

  it('over a thin line, whose large messages take longer than its heartbeats', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    const { bus, seen } = faultBus(through(proxy, node));
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number), { queue: uniqueName('queue') });
    await bus.start();
    proxy.throttle('both', 200_000);
    const headers = { pad: 'x'.repeat(20_000) };
    await Promise.all([
      bus.publish('nobody.cares', 'x'.repeat(800_000)),
      ...Array.from({ length: 5 }, (_, number) => ledger.publish(bus, 'load', number, { headers })),
    ]);
    await eventually(() => assert.equal(ledger.missing, 0), { timeout: 20_000 });
    ledger.assertBalanced();
    assert.deepEqual([ledger.errors, seen('connection.down')], [[], []]);
    proxy.resume();
    await bus.stop();
    await proxy.close();
  });

  it('after a handler that has blocked the event loop for longer than the heartbeats', async () => {
    const { bus, seen } = faultBus(node.url);
    const ledger = new Ledger();
    let blocked = false;
    bus.handle(
      'load',
      ({ number }) => {
        if (number === 3 && !blocked) {
          blocked = true;
          // Only a busy loop is one.
          for (const until = performance.now() + 4_000; performance.now() < until; );
        }
        ledger.handled(number);
      },
      { queue: uniqueName('queue') },
    );
    await bus.start();
    await Promise.all(Array.from({ length: 20 }, (_, number) => ledger.publish(bus, 'load', number)));
    await eventually(() => assert.equal(ledger.missing, 0), { timeout: 20_000 });
    await eventually(() => assert.ok(seen('connection.down').length > 0));
    await ledger.publish(bus, 'load', 20);
    await eventually(() => ledger.missing === 0);
    ledger.assertBalanced();
    assert.deepEqual(ledger.errors, []);
  });

  it('after the maintenance of its node', async () => {
    const { bus, seen } = faultBus(node.url);
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number), { queue: uniqueName('queue') });
    await bus.start();
    const publishing = Promise.all(
      Array.from({ length: 500 }, (_, number) => ledger.publish(bus, 'load', number)),
    );
    await eventually(() => ledger.confirms > 10);
    await node.ctl('eval', 'rabbit_maintenance:drain().');
    try {
      await eventually(() => assert.ok(seen('connection.down').length >= 2));
    } finally {
      await node.ctl('eval', 'rabbit_maintenance:revive().');
    }
    await publishing;
    await eventually(() => ledger.missing === 0, { timeout: 20_000 });
    ledger.assertBalanced();
    assert.deepEqual(ledger.errors, []);
  });

  it('of a classic queue whose node is killed', async () => {
    const { bus, seen } = faultBus(node.url);
    const ledger = new Ledger();
    const gate = deferred();
    bus.handle(
      'load',
      async ({ number }) => {
        await gate.promise;
        ledger.handled(number);
      },
      { queue: { name: uniqueName('queue'), type: 'classic' } },
    );
    await bus.start();
    await Promise.all(Array.from({ length: 300 }, (_, number) => ledger.publish(bus, 'load', number)));
    await node.kill();
    await node.restart();
    await eventually(() => seen('connection.up').length >= 4, { timeout: 20_000 });
    gate.resolve();
    await eventually(() => assert.equal(ledger.missing, 0), { timeout: 20_000 });
    ledger.assertBalanced();
    assert.deepEqual(ledger.errors, []);
  });

  it('when somebody who consumed the queue exclusively has left', async () => {
    const queue = uniqueName('queue');
    const prefix = uniqueName('prefix');
    const ledger = new Ledger();
    const consuming = () => {
      const fault = faultBus(node.url, { prefix });
      fault.bus.handle('load', ({ number }) => ledger.handled(number), {
        queue: { name: queue, type: 'classic' },
      });
      return fault;
    };
    const first = consuming();
    await first.bus.start();
    await first.bus.stop();
    const { bus } = consuming();
    await raw(node, async (channel) => {
      await channel.consume(queue, () => {}, { exclusive: true });
      await assert.rejects(bus.start(), (error: TopologyError) => {
        assert.ok(error instanceof TopologyError);
        assert.match(error.message, /exclusive/);
        return true;
      });
    });
    await bus.start();
    await ledger.publish(bus, 'load', 1);
    await eventually(() => ledger.missing === 0);
    ledger.assertBalanced();
  });

  it('at once after a reset of what was held for its dead letter, not when the pause is over', async () => {
    const prefix = uniqueName('prefix');
    const queue = uniqueName('queue');
    const owner = faultBus(node.url, { prefix });
    owner.bus.handle('k', () => {}, { queue });
    await owner.bus.start();
    await owner.bus.stop();
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    const { bus, log, seen } = faultBus(through(proxy, node), {
      prefix,
      topology: 'none',
      publishDeadline: '300ms',
    });
    let runs = 0;
    bus.handle(
      'k',
      (_payload, context) => {
        runs += 1;
        context.fail('no use');
      },
      { queue },
    );
    await bus.start();
    await raw(node, (channel) => channel.deleteExchange(`${prefix}.dead`));
    await bus.publish('k', {});
    await eventually(() => assert.ok(log.some((line) => /held.*"pauseMs":[3-9]\d{3}/.test(line))));
    proxy.reset();
    await eventually(() => assert.equal(runs, 2), { timeout: 2_000 });
    await raw(node, async (channel) => {
      await channel.assertExchange(`${prefix}.dead`, 'direct');
      await channel.bindQueue(`${queue}.dead`, `${prefix}.dead`, queue);
    });
    await eventually(() => assert.equal(seen('message.deadLettered').length, 1));
    await bus.stop();
    await proxy.close();
  });
});
