import assert from 'node:assert/strict';
import type { HandleOptions } from '../../src/consume/handlers/definition.js';
import {
  type Bus,
  defineRequest,
  InvalidMessageError,
  memory,
  OptionsError,
  TopologyError,
  UnroutableError,
} from '../../src/index.js';
import type { ExchangeOptions, ExchangeType } from '../../src/message/exchange-option.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { outbox } from '../../src/stores/postgres/index.js';
import type { BusFixture } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';
import { shopTests, soon } from './transactions.js';

const exchange = (fx: BusFixture, type: ExchangeType, short: string = type): ExchangeOptions => ({
  name: fx.name(short),
  type,
});

/** A service of its own for each handler, so that each has a queue; in the order in which they are given. */
async function listening(
  fx: BusFixture,
  ...handlers: readonly (readonly [pattern: string, HandleOptions])[]
) {
  const all = handlers.map(([pattern, options], index) => {
    const recorder = fx.recorder();
    const bus = fx.bus(`service-${index}`).handle(pattern, recorder.handle, options);
    return { bus, recorder };
  });
  await Promise.all(all.map(({ bus }) => bus.start()));
  return {
    publisher: all[0]?.bus as Bus,
    got: () => all.map(({ recorder }) => recorder.payloads),
    keys: () => all.map(({ recorder }) => recorder.keys),
  };
}

export const exchangeTypes: Theme = (test, { survivesProcess }) => {
  test('a direct exchange leads a key to the queues of the handlers that name just that key', async (fx) => {
    const direct = exchange(fx, 'direct');
    const { publisher, got } = await listening(
      fx,
      ['order.placed', { exchange: direct }],
      ['order.paid', { exchange: direct }],
    );
    await publisher.publish('order.placed', 1, { exchange: direct });
    await publisher.send('order.paid', 2, { exchange: direct });
    await publisher.publish('order.placed.twice', 3, { exchange: direct });
    await assert.rejects(publisher.send('order', 4, { exchange: direct }), UnroutableError);
    await fx.eventually(() => assert.deepEqual(got(), [[1], [2]]));
  });

  test('a fanout exchange gives every queue a copy, and the patterns say which handler takes it', async (fx) => {
    const fanout = exchange(fx, 'fanout');
    const [placed, others] = [fx.recorder(), fx.recorder()];
    const shop = fx
      .bus('shop', { exchange: fanout })
      .handle('order.placed', placed.handle)
      .handle('#', others.handle);
    await shop.start();
    const { got } = await listening(fx, ['#', { exchange: fanout }]);
    await shop.publish('order.placed', 1);
    await shop.publish('anything', 2);
    await fx.eventually(() =>
      assert.deepEqual([placed.payloads, others.payloads, got()[0]?.toSorted()], [[1], [2], [1, 2]]),
    );
  });

  test('a headers exchange leads a message by its headers, and the handler takes it by its pattern', async (fx) => {
    const headers = exchange(fx, 'headers');
    const by = (its: Record<string, string | number | boolean>): HandleOptions => ({
      exchange: headers,
      binding: { arguments: its },
    });
    const { publisher, got } = await listening(
      fx,
      ['#', by({ 'x-match': 'all', region: 'eu', big: true })],
      ['#', by({ 'x-match': 'any', region: 'eu', size: 7 })],
      ['#', by({ 'x-match': 'all-with-x', 'x-kind': 'a', region: 'eu' })],
      ['#', by({ 'x-match': 'any-with-x', 'x-kind': 'a', region: 'us' })],
      ['#', by({ region: 'us' })],
    );
    const publish = (payload: string, its: Record<string, unknown>) =>
      publisher.publish('order.placed', payload, {
        exchange: headers,
        headers: its as Record<string, string>,
      });
    await publish('eu', { region: 'eu' });
    await publish('eu big', { region: 'eu', big: true });
    await publish('us', { region: 'us' });
    await publish('seven', { size: 7 });
    await publish('a', { 'x-kind': 'a' });
    await publish('a eu', { 'x-kind': 'a', region: 'eu' });
    await publish('none', {});
    await fx.eventually(() =>
      assert.deepEqual(got(), [
        ['eu big'],
        ['eu', 'eu big', 'seven', 'a eu'],
        ['a eu'],
        ['us', 'a', 'a eu'],
        ['us'],
      ]),
    );
  });

  test('what a typed exchange has led to a queue is retried, and becomes a dead letter, like any other', async (fx) => {
    const headers = exchange(fx, 'headers');
    const failing = fx.recorder(() => {
      throw new Error('no');
    });
    const bus = fx.bus('mailer').handle('order.*', failing.handle, {
      exchange: headers,
      binding: { arguments: { region: 'eu' } },
      retry: { tries: 2, backoff: '100ms' },
    });
    await bus.start();
    await bus.publish('order.placed', 1, { exchange: headers, headers: { region: 'eu' } });
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.deepEqual(
      [failing.attempts, failing.keys],
      [
        [1, 2],
        ['order.placed', 'order.placed'],
      ],
    );
    assert.deepEqual(
      [letter.properties.headers['hopline-exchange'], letter.properties.headers.region],
      [headers.name, 'eu'],
    );
  });

  for (const type of ['direct', 'fanout'] as const) {
    test(`a delayed message of a ${type} exchange goes when it is due to the queues that it would go to at once`, async (fx) => {
      const typed = exchange(fx, type);
      const { publisher, got } = await listening(
        fx,
        ['a.b', { exchange: typed }],
        ['a.c', { exchange: typed }],
      );
      await publisher.publish('a.b', 'event', { exchange: typed, delay: '100ms' });
      await publisher.send('a.c', 'job', { exchange: typed, delay: '200ms' });
      await fx.eventually(() => assert.deepEqual(got(), [['event'], ['job']]));
    });
  }

  for (const type of ['headers', 'x-consistent-hash'] as const) {
    test(`a delayed publish to an exchange of type ${type} is refused, by its name too once its type is known`, async (fx) => {
      const typed = { ...exchange(fx, type), declare: false } as const;
      await (await fx.port()).declare({ exchanges: { [type]: 'topic' } });
      const bus = fx.bus('mailer').handle('k', () => {});
      await bus.start();
      const delayed = (option: ExchangeOptions | string) =>
        assert.rejects(
          bus.publish('k', 1, { exchange: option, delay: '1s', allowForeignExchange: true }),
          (error) => {
            assert.ok(error instanceof InvalidMessageError);
            assert.match(
              error.message,
              new RegExp(`'k' can't be delayed on exchange '.*', which is of type ${type}`),
            );
            return true;
          },
        );
      await delayed(typed);
      await bus.publish('k', 1, { exchange: typed });
      await delayed(typed.name);
    });
  }

  test('lanes of a direct exchange are direct, and its delayed messages come to them', async (fx) => {
    const direct = exchange(fx, 'direct');
    const seen = fx.recorder();
    const bus = fx
      .bus('mailer')
      .handle('k', seen.handle, { exchange: direct, queue: { lanes: ['high', 'default'] } });
    await bus.start();
    // The name is enough: its type is said once.
    await bus.send('k', 'high', { exchange: direct.name, lane: 'high' });
    await bus.send('k', 'later', { exchange: direct.name, lane: 'high', delay: '100ms' });
    await assert.rejects(
      bus.send('k.more', 'none', { exchange: direct.name, lane: 'high' }),
      UnroutableError,
    );
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['high', 'later']));
    assert.equal(seen.at(0).context.exchange, `${direct.name}.lane.high`);
    const port = await fx.port();
    await port.declare({ exchanges: { 'direct.lane.high': 'direct' } });
  });

  test("the broker's own exchanges can be used by their names", async (fx) => {
    const key = fx.name('key');
    const { publisher, got } = await listening(
      fx,
      [key, { exchange: 'amq.direct' }],
      ['#', { exchange: 'amq.headers', binding: { arguments: { run: key } } }],
      [`${key}.*`, { exchange: 'amq.topic' }],
    );
    await publisher.send(key, 'direct', { exchange: 'amq.direct' });
    await publisher.send(key, 'headers', { exchange: 'amq.headers', headers: { run: key } });
    await publisher.send(`${key}.b`, 'topic', { exchange: 'amq.topic' });
    await fx.eventually(() => assert.deepEqual(got(), [['direct'], ['headers'], ['topic']]));
  });

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
      .handle(price, () => 7);
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

describe('An exchange of a type that a plugin brings, in memory', () => {
  it('is refused at start, unless it is one for consistent hashing', async () => {
    const bus = (await import('../../src/index.js')).Bus;
    const shop = new bus({ service: 'shop', transport: memory() }).handle('k', () => {}, {
      exchange: { name: 'late', type: 'x-delayed-message', arguments: { 'x-delayed-type': 'direct' } },
    });
    await assert.rejects(shop.start(), (error) => {
      assert.ok(error instanceof TopologyError);
      assert.match(error.message, /unknown exchange type 'x-delayed-message': the memory transport has/);
      return true;
    });
  });
});
