import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { defineMessage, NotUniqueError, OptionsError, staticKeys, UnroutableError } from '../../src/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, ours, publishersHeaders } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

async function mailer(fx: BusFixture, ...patterns: string[]) {
  const seen = fx.recorder();
  const bus = fx.bus('mailer').handle(patterns, seen.handle, { queue: { name: fx.name('q') } });
  await bus.start();
  return { bus, seen, queue: fx.name('q') };
}

export const sendingToQueues: Theme = (test) => {
  test('what is sent to a queue comes to its only handler, whatever that listens to', async (fx) => {
    const { bus, seen, queue } = await mailer(fx, 'order.*');
    await bus.sendToQueue(queue, { n: 1 });
    await fx.eventually(() => assert.deepEqual(seen.payloads, [{ n: 1 }]));
    const { context } = seen.at(0);
    assert.deepEqual([context.exchange, context.routingKey, { ...context.headers }], ['', queue, {}]);
  });

  test('with several handlers a definition says which is meant, or the option key', async (fx) => {
    const placed = defineMessage('order.placed');
    const [orders, users] = [fx.recorder(), fx.recorder()];
    const queue = fx.name('q');
    const bus = fx
      .bus('mailer', { unhandledRetryFor: '1ms' })
      .handle(placed, orders.handle, { queue: { name: queue } })
      .handle('user.*', users.handle, { queue: { name: queue } });
    await bus.start();
    await bus.sendToQueue(queue, placed, 1);
    await bus.sendToQueue(queue, 2, { key: 'user.left' });
    await fx.eventually(() => assert.deepEqual([orders.keys, users.keys], [['order.placed'], ['user.left']]));
    await bus.sendToQueue(queue, 3);
    const letter = await fx.deadLetter(queue, 20_000);
    assert.equal(ours(letter).reason, 'no-handler');
  });

  test('a queue that is not there is an UnroutableError', async (fx) => {
    const bus = await fx.publisher();
    await assert.rejects(bus.sendToQueue(fx.name('nowhere'), 1), (error) => {
      assert.ok(error instanceof UnroutableError);
      assert.deepEqual([error.exchange, error.routingKey], ['', fx.name('nowhere')]);
      return true;
    });
  });

  test('a queue of somebody else gets the message and nothing of ours, but for the key of a definition', async (fx) => {
    await (await fx.port()).declare({ queues: { theirs: {} } });
    const bus = await fx.publisher();
    const queue = fx.name('theirs');
    await bus.sendToQueue(queue, { n: 1 }, { headers: { mine: 'x' }, priority: 3, expiration: '1m' });
    await bus.sendToQueue(queue, defineMessage('order.placed'), { n: 2 });
    const [plain, defined] = await fx.taken(queue, 2);
    assert.deepEqual([plain?.exchange, plain?.routingKey, plain?.body.toString()], ['', queue, '{"n":1}']);
    assert.deepEqual(publishersHeaders(plain?.properties.headers ?? {}), { mine: 'x' });
    assert.deepEqual(plain && ours(plain), {});
    assert.deepEqual([plain?.properties.priority, plain?.properties.expiration], [3, '60000']);
    assert.deepEqual(
      [defined?.properties.type, defined && ours(defined)],
      ['order.placed', { exchange: '', routingKey: 'order.placed' }],
    );
  });

  test('delayed, tried again, dead-lettered and replayed, it stays in its queue and with its handler', async (fx) => {
    const queue = fx.name('q');
    let mended = false;
    const seen = fx.recorder(() => {
      if (!mended) throw new Error('not yet');
    });
    const other = fx.recorder();
    const bus = fx
      .bus('mailer')
      .handle('order.*', seen.handle, { queue: { name: queue }, retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    const others = fx.bus('other').handle('#', other.handle);
    await others.start();
    await bus.sendToQueue(queue, 'plain', { delay: '100ms' });
    await bus.sendToQueue(queue, defineMessage('order.placed'), 'defined', { delay: '200ms' });
    const desk = await fx.failures('q');
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 2));
    assert.deepEqual(seen.attempts.toSorted(), [1, 1, 2, 2]);
    mended = true;
    assert.equal((await desk.retry({}, { to: 'republish' })).done, 2);
    await fx.eventually(() =>
      assert.deepEqual(seen.keys.slice(4).toSorted(), [queue, 'order.placed'].toSorted()),
    );
    assert.deepEqual(other.calls, []);
  });

  test('a delayed message to a queue that nobody of Hopline consumes is in the lost queue when it is due, and replayed from there', async (fx) => {
    await (await fx.port()).declare({ queues: { theirs: {} } });
    const bus = await fx.publisher();
    await bus.sendToQueue(fx.name('theirs'), 'lost', { delay: '100ms', messageId: fx.name('id') });
    const desk = await fx.failures('lost');
    const mine = { grep: fx.name('id') };
    await fx.eventually(async () => {
      const [letter] = await desk.list(mine);
      assert.deepEqual(
        [letter?.queue, letter?.exchange, letter?.reason],
        [fx.name('theirs'), '', 'unroutable'],
      );
    });
    assert.equal((await desk.retry(mine)).done, 1);
    const [arrived] = await fx.taken(fx.name('theirs'), 1);
    assert.equal(arrived?.body.toString(), '"lost"');
  });

  test('it goes into a lane of the queue, which its handler takes it from', async (fx) => {
    const seen = fx.recorder();
    const queue = fx.name('q');
    const bus = fx
      .bus('mailer')
      .handle('order.*', seen.handle, { queue: { name: queue, lanes: ['high', 'default'] } });
    await bus.start();
    await bus.sendToQueue(queue, 'high', { lane: 'high' });
    await bus.sendToQueue(queue, 'later', { lane: 'high', delay: '100ms' });
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['high', 'later']));
    assert.deepEqual(seen.keys, [queue, queue]);
  });

  test('it may be unique, by the rule of the queue’s handler too', async (fx) => {
    const release = deferred();
    const queue = fx.name('q');
    const seen = fx.recorder(() => release.promise);
    const bus = fx.bus('mailer', { stores: memoryStores(fx.harness.clock) }).handle('order.*', seen.handle, {
      queue: { name: queue },
      unique: { by: (payload) => String(payload) },
    });
    await bus.start();
    await bus.sendToQueue(queue, 'one');
    await assert.rejects(bus.sendToQueue(queue, 'one'), NotUniqueError);
    await bus.sendToQueue(queue, 'two');
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['one', 'two']));
    release.resolve();
    await fx.eventually(() => bus.sendToQueue(queue, 'one'));
  });

  test('it may be tracked, and named: moved, taken back, and its end is heard', async (fx) => {
    const queue = fx.name('q');
    const seen = fx.recorder();
    const bus = fx
      .bus('mailer', { stores: memoryStores(fx.harness.clock) })
      .handle('order.*', seen.handle, { queue: { name: queue } });
    await bus.start();
    const tracked = await bus.sendToQueue(queue, 1, { track: true });
    await fx.outcome(tracked.result());
    const named = await bus.sendToQueue(queue, defineMessage('order.placed'), 2, { name: 'n', delay: '1h' });
    await bus.reschedule('n', '100ms');
    await fx.eventually(() => assert.deepEqual(seen.keys, [queue, 'order.placed']));
    assert.ok(named.confirmed);
  });

  test('it may be encrypted, is seen by publish middleware, and comes with the context of its sender', async (fx) => {
    const encryption = { keys: staticKeys({ current: 'a', keys: { a: randomBytes(32) } }) };
    const queue = fx.name('q');
    const seen = fx.recorder();
    const published: unknown[] = [];
    const bus = fx
      .bus('mailer', {
        encryption,
        middleware: [
          {
            publish: (message, next) => {
              published.push([message.intent, message.routingKey]);
              return next({ headers: { seen: 'yes' } });
            },
          },
        ],
      })
      .handle('order.*', seen.handle, { queue: { name: queue } })
      .handle('start', (_, context) => context.sendToQueue(queue, 'secret', { encrypted: true }));
    await bus.start();
    await bus.publish('start', 1, { correlationId: 'c' });
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['secret']));
    const { headers, correlationId } = seen.at(0).context;
    assert.deepEqual([headers.seen, correlationId], ['yes', 'c']);
    assert.deepEqual(published, [
      ['publish', 'start'],
      ['send', queue],
    ]);
  });

  test('a step of a chain and a job of a batch may go to a queue', async (fx) => {
    const { bus, seen, queue } = await mailer(fx, 'order.*');
    const first = fx.bus('first').handle('one', () => {});
    await first.start();
    await bus
      .chain([
        { key: 'one', payload: 1 },
        { key: queue, payload: 2, queue },
      ])
      .dispatch();
    await bus.batch([{ key: 'order.placed', payload: 3, queue }]).dispatch();
    await fx.eventually(() => assert.deepEqual(seen.payloads.toSorted(), [2, 3]));
  });

  test('an event, or what names an exchange as well, can’t go to a queue', async (fx) => {
    const bus = await fx.publisher();
    await assert.rejects(bus.publish('k', 1, { queue: 'q' }), /send to 'q' with sendToQueue\(\)/);
    await assert.rejects(
      bus.send('k', 1, { queue: 'q', exchange: 'e' }),
      /either queue or exchange, got both/,
    );
    await assert.rejects(bus.publish('k', 1, { exchange: '' }), OptionsError);
    await assert.rejects(bus.sendToQueue('', 1), OptionsError);
  });
};
