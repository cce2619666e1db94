import assert from 'node:assert/strict';
import { Bus, defineRequest, rabbitmq, type Transport } from '../../src/index.js';
import { ALARMS } from '../support/alarms.js';
import type { PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { type FaultBus, faultBus, raw, stopAll, uniqueName } from './fixture.js';

describe('a bus that only publishes', function () {
  this.timeout(60_000);
  let node: PrivateNode;
  let service: string;
  let prefix: string;
  let transport: Transport;

  before(async function () {
    this.timeout(300_000);
    node = await privateBroker();
  });

  beforeEach(() => {
    service = uniqueName('shop');
    prefix = uniqueName('prefix');
    transport = rabbitmq({ url: node.url, heartbeat: '1s', connectDeadline: '2s' });
  });

  afterEach(async () => {
    await node.ctl(...ALARMS.memory.off);
    await stopAll();
  });

  const another = (): FaultBus => faultBus(node.url, { service, prefix, transport });

  /** What the connections of the service's transport are for, as the broker lists them. */
  async function connections(): Promise<string[]> {
    const listed = await node.ctl('list_connections', '--no-table-headers', 'client_properties');
    const name = new RegExp(`"hopline ${service} (\\w+)"`, 'g');
    return [...listed.matchAll(name)].map(([, role]) => role ?? '').sort();
  }

  const becomes = (...roles: string[]) =>
    eventually(async () => assert.deepEqual(await connections(), roles), { timeout: 10_000 });

  it('has one connection at the broker, a bus that consumes beside it brings the second, and none stays', async () => {
    const [first, second] = [another().bus, another().bus];
    await first.start();
    await first.publish('a', 1);
    await becomes('publish');
    const seen: unknown[] = [];
    second.handle('a', (payload) => void seen.push(payload));
    await second.start();
    await becomes('consume', 'publish');
    await first.publish('a', 2);
    await eventually(() => assert.deepEqual(seen, [2]));
    await Promise.all([first.stop(), second.stop()]);
    await becomes();
  });

  it('asks for replies on its one connection', async () => {
    const Greet = defineRequest<{ name: string }, string>('greet');
    const responder = new Bus({
      service: uniqueName('greeter'),
      prefix,
      transport: rabbitmq({ url: node.url }),
    });
    responder.reply(Greet, ({ name }) => `hello, ${name}`);
    await responder.start();
    try {
      const { bus } = another();
      await bus.start();
      assert.equal(await bus.request(Greet, { name: 'ada' }), 'hello, ada');
      await becomes('publish');
    } finally {
      await responder.stop();
    }
  });

  it('declares on its one connection, and again what was deleted while that was lost', async () => {
    const { bus, seen } = another();
    const handled: unknown[] = [];
    const consumer = new Bus({
      service: uniqueName('mailer'),
      prefix,
      transport: rabbitmq({ url: node.url }),
    });
    consumer.handle('a', (payload) => void handled.push(payload));
    await bus.start();
    await consumer.start();
    try {
      await bus.publish('a', 1);
      await raw(node, (channel) => channel.deleteExchange(`${prefix}.events`));
      await node.ctl('close_all_connections', 'test');
      await eventually(() => assert.equal(seen('connection.up').length, 2), { timeout: 20_000 });
      await bus.publish('a', 2);
      await eventually(() => assert.ok(handled.includes(2)), { timeout: 20_000 });
      assert.deepEqual(
        [...seen('connection.up'), ...seen('connection.down')].filter(
          ({ connection }) => connection !== 'publish',
        ),
        [],
      );
      await becomes('publish');
    } finally {
      await consumer.stop();
    }
  });

  it('declares on a second connection what it needs during an alarm: the broker does not read the first', async () => {
    const { bus, seen } = another();
    await bus.start();
    await node.ctl(...ALARMS.memory.on);
    // The broker blocks the connection with the first publish, and doesn't read the declare that comes after it.
    const known = bus.publish('a', 1);
    const unknown = bus.publish('a', 2, { exchange: uniqueName('other') });
    await eventually(() => seen('connection.blocked').length > 0);
    await becomes('consume', 'publish');
    await node.ctl(...ALARMS.memory.off);
    await Promise.all([known, unknown]);
    assert.deepEqual(seen('connection.down'), []);
  });

  it('declares on its one connection after an alarm in which it could not have a second', async () => {
    const limits = (most: number) =>
      node.ctl('set_user_limits', new URL(node.url).username, JSON.stringify({ 'max-connections': most }));
    await limits(1);
    try {
      const { bus, seen } = another();
      await bus.start();
      await node.ctl(...ALARMS.memory.on);
      const known = bus.publish('a', 1);
      await assert.rejects(bus.publish('a', 2, { exchange: uniqueName('other') }), /limit of connections/);
      await node.ctl(...ALARMS.memory.off);
      await known;
      await eventually(() => assert.equal(seen('connection.unblocked').length, 1));
      await bus.publish('a', 3, { exchange: uniqueName('third') });
      await becomes('publish');
    } finally {
      await limits(-1);
    }
  });
});
