import assert from 'node:assert/strict';
import { PublishRejectedError } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { Ledger } from '../support/account.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { deadLettersOf, faultBus, raw, stopAll, uniqueName } from './fixture.js';

describe('a broker', function () {
  this.timeout(120_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  const ways = {
    'stopped and started [row 2]': async () => {
      await node.ctl('stop_app');
      await node.ctl('start_app');
    },
    'killed and started on its data [row 3]': async () => {
      await node.kill();
      await node.restart();
    },
  };

  for (const [how, fault] of Object.entries(ways)) {
    it(`that is ${how} has every confirmed message, and is found again`, async () => {
      // Longer than a broker takes to boot twice on a busy machine.
      const { bus } = faultBus(node.url, { publishDeadline: '90s' });
      const ledger = new Ledger();
      const gate = deferred();
      bus.handle(
        'load',
        async ({ number }, { messageId }) => {
          // All but a windowful is in the broker when it goes.
          await gate.promise;
          ledger.handled(number, messageId);
        },
        { queue: uniqueName('queue') },
      );
      await bus.start();
      // Or 3.10 may forget a quorum queue that was declared less than a second before a kill -9.
      await node.sync();
      await ledger.publish(bus, 'load', 1_000);
      const publishing = Promise.all(
        Array.from({ length: 500 }, (_, number) => ledger.publish(bus, 'load', number)),
      );
      await eventually(() => ledger.account().confirmed > 10);
      await fault();
      gate.resolve();
      await publishing;
      await eventually(() => ledger.missing === 0, { timeout: 60_000 });
      ledger.assertBalanced();
      assert.deepEqual(ledger.errors, []);
    });
  }

  it('whose vhost loses everything that was declared gets it again, from the exchange to the queue', async () => {
    const prefix = uniqueName('prefix');
    const queue = uniqueName('queue');
    const { bus, seen } = faultBus(node.url, { prefix });
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number), { queue });
    await bus.start();
    await raw(node, async (channel) => {
      await channel.deleteQueue(queue);
      await channel.deleteQueue(`${queue}.dead`);
      await channel.deleteExchange(`${prefix}.events`);
      await channel.deleteExchange(`${prefix}.dead`);
    });
    await eventually(() => seen('consumer.restored').length === 1);
    await ledger.publish(bus, 'load', 1);
    await eventually(() => ledger.missing === 0);
    ledger.assertBalanced();
  });

  it('that takes a right away has what needs it held or refused by name, and done when it is given back', async () => {
    const prefix = uniqueName('prefix');
    const queue = uniqueName('queue');
    const user = uniqueName('user');
    const permit = (write: string) => node.ctl('set_permissions', user, '.*', write, '.*');
    await node.ctl('add_user', user, 'secret');
    await permit('.*');
    const { bus, log, seen } = faultBus(node.url.replace('guest:guest', `${user}:secret`), { prefix });
    const ledger = new Ledger();
    let attempts = 0;
    bus.handle(
      'load',
      ({ number }, { attempt }) => {
        attempts += 1;
        if (attempt === 1) throw new Error('once more');
        ledger.handled(number);
      },
      { queue, retry: { backoff: '100ms' } },
    );
    await bus.start();
    // All but the delays.
    await permit('^(?!hopline)');
    await ledger.publish(bus, 'load', 1);
    await eventually(() => assert.ok(log.some((line) => line.includes('held and the queue paused'))));
    await assert.rejects(bus.publish('load', {}, { delay: '1s' }), (error: PublishRejectedError) => {
      assert.ok(error instanceof PublishRejectedError);
      assert.match(error.message, /ACCESS_REFUSED.*hopline/);
      return true;
    });
    await permit('.*');
    await eventually(() => ledger.missing === 0, { timeout: 40_000 });
    assert.equal(attempts, 2);
    assert.deepEqual(seen('connection.down'), []);
    ledger.assertBalanced();
    await bus.stop();
    await node.ctl('delete_user', user);
  });

  it('without the dead-letter exchange has it again after a start, and after the next dead letter [row 32]', async () => {
    const prefix = uniqueName('prefix');
    const queue = uniqueName('queue');
    const failing = () => {
      const fault = faultBus(node.url, { prefix });
      fault.bus.handle('k', (_payload, context) => context.fail('no use'), { queue });
      return fault;
    };
    const letters = () => deadLettersOf(node, queue);
    const first = failing();
    await first.bus.start();
    await raw(node, (channel) => channel.deleteExchange(`${prefix}.dead`));
    await first.bus.publish('k', 'while it runs');
    await eventually(async () => assert.equal(await letters(), 1));
    await first.bus.stop();
    await raw(node, (channel) => channel.deleteExchange(`${prefix}.dead`));
    const second = failing();
    await second.bus.start();
    await raw(node, (channel) => channel.checkExchange(`${prefix}.dead`));
    await second.bus.publish('k', 'after a start');
    await eventually(async () => assert.equal(await letters(), 2));
  });
});
