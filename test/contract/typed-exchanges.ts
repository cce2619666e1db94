import assert from 'node:assert/strict';
import { defineRequest, OptionsError, TopologyError } from '../../src/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { outbox } from '../../src/stores/postgres/index.js';
import { exchange } from './exchange-types.js';
import type { Theme } from './theme.js';
import { shopTests, soon } from './transactions.js';

/** What else travels by exchanges, and what can be wrong with them. */
export const typedExchanges: Theme = (test, { survivesProcess }) => {
  test('a step of a chain keeps the type of its exchange, whoever sends it on', async (fx) => {
    const direct = exchange(fx, 'direct');
    const second = fx.recorder();
    const first = fx.bus('first').handle('one', () => {});
    await first.start();
    const after = fx.bus('second').handle('two', second.handle, { exchange: direct });
    await after.start();
    const sender = fx.bus('sender', { exchange: direct });
    await sender.start();
    // The worker of the first step knows nothing of the exchange of the second.
    await sender
      .chain([
        { key: 'one', payload: 1, exchange: fx.events },
        { key: 'two', payload: 2 },
      ])
      .dispatch();
    await fx.eventually(() => assert.deepEqual(second.payloads, [2]));
  });

  test('copies for each process come from exchanges of any type', async (fx) => {
    const fanout = exchange(fx, 'fanout');
    const [one, two] = [fx.recorder(), fx.recorder()];
    const transport = fx.transport();
    for (const recorder of [one, two]) {
      const bus = fx
        .bus('cache', survivesProcess ? {} : { transport })
        .handle('#', recorder.handle, { exchange: fanout, each: 'process' });
      await bus.start();
    }
    const publisher = await fx.publisher(survivesProcess ? {} : { transport });
    await publisher.publish('clear', 1, { exchange: fanout });
    await fx.eventually(() => assert.deepEqual([one.payloads, two.payloads], [[1], [1]]));
  });

  test('jobs of a batch and requests go through exchanges of any type', async (fx) => {
    const direct = exchange(fx, 'direct');
    const seen = fx.recorder();
    const price = defineRequest<number, number>('price.get');
    const stores = memoryStores(fx.harness.clock);
    const bus = fx
      .bus('mailer', { exchange: direct, stores })
      .handle('job', seen.handle)
      .reply(price, () => 7);
    await bus.start();
    await bus.batch([{ key: 'job', payload: 'batch' }]).dispatch();
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['batch']));
    assert.equal(await fx.outcome(bus.request(price, 1)), 7);
  });

  shopTests(test)(
    'what an outbox relays goes to an exchange of any type, and to a queue',
    async (fx, shop) => {
      const direct = exchange(fx, 'direct');
      const seen = fx.recorder();
      const bus = shop.bus('mailer', { relayOutbox: true });
      await bus.handle('job', seen.handle, { exchange: direct, queue: { name: fx.name('q') } }).start();
      await shop.transaction(async (client) => {
        await outbox(bus, client).send('job', 'exchange', { exchange: direct.name });
        await outbox(bus, client).sendToQueue(fx.name('q'), 'queue');
        await assert.rejects(outbox(bus, client).publish('job', 1, { queue: fx.name('q') }), OptionsError);
      });
      await soon(fx, () => assert.deepEqual(seen.payloads.toSorted(), ['exchange', 'queue']));
    },
  );

  test('a publish that says another type of an exchange than its bus is refused, with both', async (fx) => {
    const direct = exchange(fx, 'direct');
    const bus = fx.bus('mailer').handle('k', () => {}, { exchange: direct });
    await bus.start();
    await assert.rejects(bus.publish('k', 1, { exchange: { ...direct, type: 'fanout' } }), (error) => {
      assert.ok(error instanceof OptionsError);
      assert.match(error.message, /is direct in its handlers and options, and fanout in this publish/);
      return true;
    });
  });

  test('an exchange that is there with another type is a TopologyError that says how to use it', async (fx) => {
    await (await fx.port()).declare({ exchanges: { theirs: 'direct' } });
    const bus = fx.bus('mailer').handle('k', () => {}, { exchange: fx.name('theirs') });
    await assert.rejects(bus.start(), (error) => {
      assert.ok(error instanceof TopologyError);
      assert.equal(error.resource, `exchange '${fx.name('theirs')}'`);
      assert.match(error.help, new RegExp(`say \\{ name: '${fx.name('theirs')}', type: 'direct' \\}`));
      return true;
    });
  });
};
