import assert from 'node:assert/strict';
import type { Channel } from 'amqplib';
import type { HandlerFunction } from '../../src/index.js';
import { Ledger } from '../support/account.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { deadLettersOf, faultBus, raw, stopAll, uniqueName } from './fixture.js';

const failsOnce =
  (ledger: Ledger): HandlerFunction =>
  ({ number }, { attempt }) => {
    if (attempt === 1) throw new Error('once more');
    ledger.handled(number);
  };

describe('what somebody deletes while a bus runs', function () {
  this.timeout(60_000);
  let node: PrivateNode;
  let prefix: string;
  let queue: string;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  beforeEach(() => {
    prefix = uniqueName('prefix');
    queue = uniqueName('queue');
  });

  afterEach(stopAll);

  const letters = () => deadLettersOf(node, queue);

  it('a dead-letter queue is there again for the next dead letter', async () => {
    const { bus } = faultBus(node.url, { prefix });
    bus.handle('k', (_payload, context) => context.fail('no use'), { queue });
    await bus.start();
    await raw(node, (channel) => channel.deleteQueue(`${queue}.dead`));
    await bus.publish('k', {});
    await eventually(async () => assert.equal(await letters(), 1));
  });

  it('the queue of a delay and its way in are there again for the next retry', async () => {
    const delayPrefix = uniqueName('delay');
    const { bus } = faultBus(node.url, { prefix, delayPrefix });
    const attempts: string[] = [];
    bus.handle(
      'k',
      ({ what }: { what: string }, { attempt }) => {
        attempts.push(`${what}.${attempt}`);
        if (attempt === 1) throw new Error('once more');
      },
      { queue, retry: { tries: 2, backoff: '200ms' } },
    );
    await bus.start();
    const level = `${delayPrefix}.delay.1`;
    const deletions = {
      queue: (channel: Channel) => channel.deleteQueue(`${level}.t2`),
      'way in': (channel: Channel) => channel.deleteExchange(`${level}.in.t`),
    };
    for (const [what, remove] of Object.entries(deletions)) {
      await raw<unknown>(node, remove);
      await bus.publish('k', { what });
      await eventually(() => assert.ok(attempts.includes(`${what}.2`), `${attempts}`));
    }
  });

  it('the way out of the delays is there again after a start that misses their marker', async () => {
    const delayPrefix = uniqueName('delay');
    const ledger = new Ledger();
    const retrying = () => {
      const { bus } = faultBus(node.url, { prefix, delayPrefix });
      bus.handle('load', failsOnce(ledger), { queue, retry: { backoff: '100ms' } });
      return bus;
    };
    const first = retrying();
    await first.start();
    await first.stop();
    await raw(node, async (channel) => {
      await channel.deleteExchange(`${delayPrefix}.delay.1.out`);
      await channel.deleteExchange(`${delayPrefix}.delay.1.ready`);
    });
    const second = retrying();
    await second.start();
    await ledger.publish(second, 'load', 1);
    await eventually(() => ledger.missing === 0);
    ledger.assertBalanced();
  });

  it('its queue, with a retry under way to it, has the retry when it is there again', async () => {
    const { bus, seen } = faultBus(node.url, { prefix });
    const ledger = new Ledger();
    bus.handle('load', failsOnce(ledger), { queue, retry: { backoff: '2s' } });
    await bus.start();
    await ledger.publish(bus, 'load', 1);
    await eventually(() => seen('message.retried').length === 1);
    await raw(node, (channel) => channel.deleteQueue(queue));
    await eventually(() => seen('consumer.restored').length === 1);
    await eventually(() => assert.equal(ledger.missing, 0));
    ledger.assertBalanced();
  });

  it('its vhost, made again, has all of it again, and messages flow', async () => {
    const vhost = uniqueName('vhost');
    const make = async () => {
      await node.ctl('add_vhost', vhost);
      await node.ctl('set_permissions', '-p', vhost, 'guest', '.*', '.*', '.*');
    };
    await make();
    const { bus, seen } = faultBus(`${node.url}/${vhost}`, { prefix });
    const ledger = new Ledger();
    bus.handle('load', failsOnce(ledger), { queue, retry: { backoff: '100ms' } });
    await bus.start();
    await ledger.publish(bus, 'load', 1);
    await eventually(() => ledger.missing === 0);
    await node.ctl('delete_vhost', vhost);
    await eventually(() => seen('connection.down').length >= 2);
    await make();
    await eventually(() => assert.equal(seen('connection.up').length, 4), { timeout: 20_000 });
    await eventually(() => bus.send('load', { number: 2 }).then(() => true), { timeout: 20_000 });
    await ledger.publish(bus, 'load', 3);
    await eventually(() => assert.equal(ledger.missing, 0), { timeout: 15_000 });
    await bus.stop();
    await node.ctl('delete_vhost', vhost);
  });

  it('a binding is there again for a send that would have taken it', async () => {
    const { bus } = faultBus(node.url, { prefix });
    const ledger = new Ledger();
    bus.handle('load.*', ({ number }) => ledger.handled(number), { queue });
    await bus.start();
    await raw(node, (channel) => channel.unbindQueue(queue, `${prefix}.events`, 'load.*'));
    await bus.send('load.one', { number: 1 });
    await ledger.publish(bus, 'load.two', 2);
    await eventually(() => ledger.missing === 0);
  });

  it('a queue that the bus may not declare is consumed again when somebody else has made it', async () => {
    const owner = faultBus(node.url, { prefix });
    owner.bus.handle('load', () => {}, { queue });
    await owner.bus.start();
    await owner.bus.stop();
    const { bus, log } = faultBus(node.url, { prefix, topology: 'verify' });
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number), { queue });
    await bus.start();
    await raw(node, (channel) => channel.deleteQueue(queue));
    await eventually(() => assert.ok(log.some((line) => /cannot be consumed.*NOT_FOUND/.test(line))));
    const second = faultBus(node.url, { prefix });
    second.bus.handle('load', () => {}, { queue });
    await second.bus.start();
    await second.bus.stop();
    await ledger.publish(bus, 'load', 1);
    await eventually(() => ledger.missing === 0, { timeout: 15_000 });
    ledger.assertBalanced();
  });
});
