import assert from 'node:assert/strict';
import { type MessageContext, TopologyError } from 'hopline';
import { Ledger } from '../support/account.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, raw, stopAll, uniqueName } from './fixture.js';

describe('consumers', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  it('whose queue is deleted declare it again and go on [row 13]', async () => {
    const queue = uniqueName('queue');
    const { bus, seen } = faultBus(node.url);
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number), { queue });
    await bus.start();
    await ledger.publish(bus, 'load', 1);
    await eventually(() => ledger.missing === 0);
    await raw(node, (channel) => channel.deleteQueue(queue));
    await eventually(() => seen('consumer.restored').length === 1);
    assert.deepEqual(
      seen('consumer.cancelled').map((event) => event.queue),
      [queue],
    );
    await ledger.publish(bus, 'load', 2);
    await eventually(() => ledger.missing === 0);
  });

  it('that lose their channel leave their siblings and the connection alone [row 14]', async () => {
    const { bus, seen } = faultBus(node.url);
    const handled: string[] = [];
    let hurt: MessageContext | undefined;
    bus.handle(
      'one',
      (_payload, context) => {
        handled.push('one');
        hurt ??= context;
      },
      { queue: uniqueName('one') },
    );
    bus.handle('two', () => void handled.push('two'), { queue: uniqueName('two') });
    await bus.start();
    await bus.publish('one', {});
    await eventually(() => hurt !== undefined);
    doubleAck(hurt as MessageContext);
    await eventually(() => seen('channel.reopened').length === 1);
    await bus.publish('one', {});
    await bus.publish('two', {});
    await eventually(() => handled.includes('two') && handled.filter((name) => name === 'one').length >= 2);
    assert.deepEqual(seen('connection.down'), []);
  });

  it('do not settle on another channel what the lost one had delivered [row 15]', async () => {
    const { bus, seen } = faultBus(node.url);
    let finish = () => {};
    const reasons: string[] = [];
    const attempts: boolean[] = [];
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    bus.handle('slow', async (_payload, context) => {
      attempts.push(context.redelivered);
      context.signal.addEventListener('abort', () => reasons.push((context.signal.reason as Error).name));
      if (!context.redelivered) await gate;
    });
    await bus.start();
    await bus.publish('slow', {});
    await eventually(() => attempts.length === 1);
    await node.ctl('close_all_connections', 'test');
    await eventually(() => seen('connection.down').length >= 2);
    finish();
    await eventually(() => attempts.length === 2);
    assert.deepEqual(attempts, [false, true]);
    assert.deepEqual(reasons, ['ChannelLostError']);
  });

  it('whose queue exists with other arguments fail start() with both values, and disturb nobody [row 10]', async () => {
    const queue = uniqueName('queue');
    await raw(node, (channel) =>
      channel.assertQueue(queue, {
        durable: true,
        arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 5 },
      }),
    );
    const sibling = faultBus(node.url);
    await sibling.bus.start();
    const { bus, seen } = faultBus(node.url);
    bus.handle('a', () => {}, { queue });
    await assert.rejects(bus.start(), (error: TopologyError) => {
      assert.ok(error instanceof TopologyError);
      assert.equal(error.resource, `queue '${queue}'`);
      assert.match(error.message, /inequivalent arg/);
      return true;
    });
    assert.equal(seen('topology.failed').length, 1);
    await sibling.bus.publish('a', {});
    assert.deepEqual(sibling.seen('connection.down'), []);
  });

  it('without the rights fail start() with the resource and the right that is missing [row 9]', async () => {
    await node.ctl('add_user', 'limited', 'secret');
    await node.ctl('set_permissions', 'limited', '^$', '.*', '.*');
    try {
      const { bus } = faultBus(node.url.replace('guest:guest', 'limited:secret'));
      const queue = uniqueName('queue');
      bus.handle('a', () => {}, { queue });
      await assert.rejects(bus.start(), (error: TopologyError) => {
        assert.ok(error instanceof TopologyError);
        assert.match(`${error.message} ${error.help}`, /configure on/);
        return true;
      });
    } finally {
      await node.ctl('delete_user', 'limited');
    }
  });
});

/** What a bug in a client would do: the broker answers with a channel error. */
function doubleAck(context: MessageContext): void {
  const { work } = context as unknown as {
    work: { received: { delivery: { raw: unknown; epoch: { channel: { ack(raw: unknown): void } } } } };
  };
  const { raw: message, epoch } = work.received.delivery;
  epoch.channel.ack(message);
  epoch.channel.ack(message);
}
