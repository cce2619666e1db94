import assert from 'node:assert/strict';
import type { HandleOptions } from '../../src/consume/handlers/definition.js';
import { type Bus, PublishManyError } from '../../src/index.js';
import type { BusFixture, Call } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

/** A service one queue of which takes the same keys from two exchanges, with a handler for each. */
async function twoExchanges(fx: BusFixture, then?: (call: Call) => unknown, options: HandleOptions = {}) {
  const shop = fx.name('shop.events');
  const [own, theirs] = [fx.recorder(then), fx.recorder(then)];
  const bus = fx
    .bus('mailer', { concurrency: 1 })
    .handle('order.*', own.handle, { ...options, name: 'own' })
    .handle('order.placed', theirs.handle, { ...options, name: 'theirs', exchange: shop });
  await bus.start();
  return { bus, own, theirs, shop };
}

/** To the bus's own exchange and to the other one, each time under the same key. */
async function toBoth(bus: Bus, shop: string, options: Parameters<Bus['publish']>[2] = {}): Promise<void> {
  await bus.publish('order.placed', 'own', options);
  await bus.publish('order.placed', 'theirs', { ...options, exchange: shop });
}

const failsFirst = ({ attempt }: Call) => {
  if (attempt === 1) throw new Error('not yet');
};

export const exchangesOfAQueue: Theme = (test) => {
  test('a message runs the handler of its exchange, however narrow the pattern of another one', async (fx) => {
    const { bus, own, theirs, shop } = await twoExchanges(fx);
    await toBoth(bus, shop);
    await fx.eventually(() => assert.deepEqual([own.payloads, theirs.payloads], [['own'], ['theirs']]));
  });

  test('one pattern has a handler for each exchange', async (fx) => {
    const shop = fx.name('shop.events');
    const [own, theirs] = [fx.recorder(), fx.recorder()];
    const bus = fx.bus('mailer').handle('order.placed', own.handle);
    bus.handle('order.placed', theirs.handle, { exchange: shop });
    await bus.start();
    await toBoth(bus, shop);
    await fx.eventually(() => assert.deepEqual([own.payloads, theirs.payloads], [['own'], ['theirs']]));
  });

  test("somebody else's exchange counts as any other", async (fx) => {
    const theirs = { name: fx.name('theirs'), declare: false } as const;
    await (await fx.port()).declare({ exchanges: { theirs: 'topic' } });
    const [mine, of] = [fx.recorder(), fx.recorder()];
    const bus = fx.bus('mailer').handle('#', mine.handle).handle('#', of.handle, { exchange: theirs });
    await bus.start();
    await fx.foreign.publish({ exchange: theirs.name, routingKey: 'k', body: '"theirs"' });
    await bus.publish('k', 'own');
    await fx.eventually(() => assert.deepEqual([mine.payloads, of.payloads], [['own'], ['theirs']]));
  });

  for (const type of ['quorum', 'classic'] as const) {
    test(`on its second attempt, too: ${type}`, async (fx) => {
      const options: HandleOptions = { queue: { name: fx.name('q'), type }, retry: { backoff: '100ms' } };
      const { bus, own, theirs, shop } = await twoExchanges(fx, failsFirst, options);
      await toBoth(bus, shop);
      await fx.eventually(() =>
        assert.deepEqual(
          [own.attempts, theirs.attempts],
          [
            [1, 2],
            [1, 2],
          ],
        ),
      );
      assert.deepEqual([...new Set([...own.payloads, 'and', ...theirs.payloads])], ['own', 'and', 'theirs']);
    });
  }

  test('delayed, too', async (fx) => {
    const { bus, own, theirs, shop } = await twoExchanges(fx);
    await toBoth(bus, shop, { delay: '100ms' });
    await fx.eventually(() => assert.deepEqual([own.payloads, theirs.payloads], [['own'], ['theirs']]));
  });

  test('in a lane, too, and when it comes back to it', async (fx) => {
    const options: HandleOptions = {
      queue: { name: fx.name('q'), lanes: ['high', 'default'] },
      retry: { backoff: '100ms' },
    };
    const { bus, own, theirs, shop } = await twoExchanges(fx, failsFirst, options);
    await toBoth(bus, shop, { lane: 'high' });
    await fx.eventually(() =>
      assert.deepEqual(
        [own.attempts, theirs.attempts],
        [
          [1, 2],
          [1, 2],
        ],
      ),
    );
    assert.equal(theirs.at(1).context.exchange, `${shop}.lane.high`);
    assert.deepEqual([...new Set([...own.payloads, 'and', ...theirs.payloads])], ['own', 'and', 'theirs']);
  });

  for (const to of ['queue', 'republish'] as const) {
    test(`and after a replay: to ${to}`, async (fx) => {
      let mended = false;
      const { bus, own, theirs, shop } = await twoExchanges(fx, ({ context }) => {
        if (!mended) context.fail('no');
      });
      await toBoth(bus, shop);
      const desk = await fx.failures('mailer');
      await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 2));
      mended = true;
      assert.equal((await desk.retry({}, { to })).done, 2);
      await fx.eventually(() =>
        assert.deepEqual(
          [own.payloads, theirs.payloads],
          [
            ['own', 'own'],
            ['theirs', 'theirs'],
          ],
        ),
      );
    });
  }

  test('what its exchange has no handler for is not given to a handler of another one', async (fx) => {
    const shop = fx.name('shop.events');
    const [own, theirs] = [fx.recorder(), fx.recorder()];
    const bus = fx
      .bus('mailer', { unhandledRetryFor: '1ms' })
      .handle('order.*', own.handle)
      .handle('user.*', theirs.handle, { exchange: shop });
    await bus.start();
    // As a version of the service left it that had a handler for it.
    await fx.foreign.bind(fx.name('mailer'), shop, 'order.*');
    await bus.publish('order.placed', 'of the shop', { exchange: shop });
    const letter = await fx.deadLetter(fx.name('mailer'), 20_000);
    assert.equal(letter.properties.headers['hopline-reason'], 'no-handler');
    assert.deepEqual([own.calls.length, theirs.calls.length], [0, 0]);
  });

  test('where no handler names the exchange, the key alone finds the handler: the default one, one bound by hand', async (fx) => {
    const [own, theirs, named] = [fx.recorder(), fx.recorder(), fx.recorder()];
    const exchange = fx.name('shop.events');
    const bus = fx
      .bus('mailer')
      .handle('order.*', own.handle)
      .handle('order.placed', theirs.handle, { exchange })
      .handle('*.mailer', named.handle, { exchange });
    await bus.start();
    const byHand = fx.name('by-hand');
    await (await fx.port()).declare({ exchanges: { 'by-hand': 'topic' } });
    await fx.foreign.bind(fx.name('mailer'), byHand, '#');
    const body = '"moved"';
    await fx.foreign.publish({ exchange: byHand, routingKey: 'order.placed', body });
    await fx.foreign.publish({ exchange: byHand, routingKey: 'order.paid', body });
    // Its routing key is the queue's name.
    await fx.foreign.publish({ exchange: '', routingKey: fx.name('mailer'), body });
    // The narrowest pattern of all, whatever exchange it is for.
    await fx.eventually(() =>
      assert.deepEqual(
        [own.keys, theirs.keys, named.keys],
        [['order.paid'], ['order.placed'], [fx.name('mailer')]],
      ),
    );
  });

  test('what a handler says of unique messages holds for its exchange, and for no other', async (fx) => {
    const shop = fx.name('shop.events');
    const [own, theirs] = [fx.recorder(), fx.recorder()];
    const bus = fx
      .bus('mailer', { concurrency: 1 })
      .handle('order.*', own.handle, { unique: { until: 'started', by: () => 'all' } })
      .handle('order.placed', theirs.handle, { exchange: shop });
    await bus.start();
    await bus.sendMany('order.placed', [1, 2], { exchange: shop });
    await assert.rejects(bus.sendMany('order.placed', [3, 4]), PublishManyError);
    await fx.eventually(() => assert.deepEqual([own.payloads, theirs.payloads], [[3], [1, 2]]));
  });

  test('behind the default exchange the headers of a dead letter say where it was published', async (fx) => {
    let mended = false;
    const { bus, own, theirs, shop } = await twoExchanges(fx, ({ context }) => {
      if (!mended) context.fail('no');
    });
    await toBoth(bus, shop);
    const letters = await fx.deadLetters(fx.name('mailer'), 2);
    mended = true;
    for (const { body, properties } of letters)
      await fx.foreign.publish({ exchange: '', routingKey: fx.name('mailer'), body, properties });
    await fx.eventually(() =>
      assert.deepEqual(
        [own.payloads, theirs.payloads],
        [
          ['own', 'own'],
          ['theirs', 'theirs'],
        ],
      ),
    );
  });
};
