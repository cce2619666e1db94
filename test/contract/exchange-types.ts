import assert from 'node:assert/strict';
import type { HandleOptions } from '../../src/consume/handlers/definition.js';
import { type Bus, InvalidMessageError, UnroutableError } from '../../src/index.js';
import type { ExchangeOptions, ExchangeType } from '../../src/message/exchange-option.js';
import type { BusFixture } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

/** An exchange that is named after its type. */
export const exchange = (fx: BusFixture, type: ExchangeType): ExchangeOptions => ({
  name: fx.name(type),
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

export const exchangeTypes: Theme = (test) => {
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
};
