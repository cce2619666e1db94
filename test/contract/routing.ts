import assert from 'node:assert/strict';
import { TopologyError, UnroutableError } from '../../src/index.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const routing: Theme = (test) => {
  test('one handler takes several patterns', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle(['order.placed', 'order.*.refunded', 'user.#'], seen.handle);
    await bus.start();
    const mine = ['order.placed', 'order.7.refunded', 'user', 'user.7.left'];
    const others = ['order', 'order.placed.late', 'order.refunded', 'order.7.8.refunded', 'x.user'];
    for (const key of [...others, ...mine]) await bus.publish(key, key);
    await fx.eventually(() => assert.deepEqual(seen.keys, mine));
    assert.deepEqual(seen.payloads, mine);
  });

  test('in one queue a message goes to the handler with the narrowest pattern, and to no other', async (fx) => {
    const taken: string[] = [];
    const bus = fx.bus('mailer', { concurrency: 1 });
    for (const pattern of ['#', 'order.#', 'order.*', 'order.placed', '*.placed', 'order.#.late']) {
      bus.handle(pattern, (key: string) => taken.push(`${key} by ${pattern}`), { name: pattern });
    }
    await bus.start();
    const expected = {
      'order.placed': 'order.placed',
      'order.paid': 'order.*',
      order: 'order.#',
      'order.1.2': 'order.#',
      'order.1.late': 'order.#.late',
      'invoice.placed': '*.placed',
      invoice: '#',
    };
    for (const key of Object.keys(expected)) await bus.publish(key, key);
    await fx.eventually(() => assert.equal(taken.length, Object.keys(expected).length));
    assert.deepEqual(
      taken,
      Object.entries(expected).map(([key, pattern]) => `${key} by ${pattern}`),
    );
  });

  test('each service gets its own copy of an event, and the instances of one share it', async (fx) => {
    const instances = ['audit', 'audit', 'billing', 'billing'].map((service) => {
      const seen = fx.recorder();
      return { service, seen, bus: fx.bus(service).handle('order.*', seen.handle) };
    });
    await Promise.all(instances.map(({ bus }) => bus.start()));
    const publisher = await fx.publisher();
    await Promise.all(numbers(60).map((number) => publisher.publish('order.placed', number)));
    const payloadsOf = (service: string) =>
      instances.filter((each) => each.service === service).flatMap(({ seen }) => seen.payloads as string[]);
    for (const service of ['audit', 'billing']) {
      await fx.eventually(() => assert.equal(payloadsOf(service).length, 60, service));
      assert.equal(new Set(payloadsOf(service)).size, 60, service);
    }
    // One that comes late may have missed all of these; none is left out for good.
    await fx.eventually(async () => {
      await publisher.publish('order.placed', 'one more');
      return instances.every(({ seen }) => seen.calls.length > 0);
    });
  });

  test('two queues of one service that both match each get the message', async (fx) => {
    const [one, two] = [fx.recorder(), fx.recorder()];
    const bus = fx
      .bus('mailer')
      .handle('order.*', one.handle, { queue: fx.name('one') })
      .handle('order.placed', two.handle, { queue: fx.name('two') });
    await bus.start();
    await bus.publish('order.placed', 'both');
    await bus.publish('order.paid', 'one');
    await fx.eventually(() => assert.deepEqual(one.payloads, ['both', 'one']));
    await fx.eventually(() => assert.deepEqual(two.payloads, ['both']));
    assert.equal(one.at(0).context.queue, fx.name('one'));
    assert.equal(two.at(0).context.queue, fx.name('two'));
  });

  test('a send that no queue takes is an UnroutableError; a publish is not', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('report.*', seen.handle);
    await bus.start();
    await bus.publish('nobody.cares', 1);
    await assert.rejects(bus.send('nobody.cares', 1, { messageId: 'job-1' }), (error) => {
      assert.ok(error instanceof UnroutableError);
      assert.deepEqual(
        [error.exchange, error.routingKey, error.messageId],
        [fx.events, 'nobody.cares', 'job-1'],
      );
      return true;
    });
    await bus.send('report.build', 2);
    await fx.eventually(() => assert.deepEqual(seen.payloads, [2]));
  });

  test('a message goes to the exchange that it is published to, and to the queues bound there', async (fx) => {
    const [usual, own, named] = [fx.recorder(), fx.recorder(), fx.recorder()];
    const bus = fx
      .bus('mailer')
      .handle('k', usual.handle)
      .handle('k', own.handle, { queue: fx.name('own'), exchange: fx.name('side.exchange') })
      .handle('k', named.handle, { queue: { name: fx.name('named'), exchange: fx.name('third') } });
    await bus.start();
    await bus.publish('k', 'usual');
    await bus.publish('k', 'side', { exchange: fx.name('side.exchange') });
    await bus.publish('k', 'third', { exchange: fx.name('third') });
    await fx.eventually(() =>
      assert.deepEqual([usual.payloads, own.payloads, named.payloads], [['usual'], ['side'], ['third']]),
    );
    assert.equal(own.at(0).context.exchange, fx.name('side.exchange'));
    // One that nobody has named before is made for the first publish.
    await bus.publish('k', 'nobody', { exchange: fx.name('new') });
    await assert.rejects(bus.send('k', 'nobody', { exchange: fx.name('new') }), UnroutableError);
  });

  test("somebody else's exchange is used, and never made", async (fx) => {
    const theirs = { name: fx.name('theirs'), declare: false } as const;
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle, { exchange: theirs });
    await assert.rejects(bus.start(), TopologyError);
    await assert.rejects((await fx.publisher()).publish('k', 1, { exchange: theirs }), TopologyError);
    const port = await fx.port();
    await port.declare({ exchanges: { theirs: 'topic' } });
    await bus.start();
    await bus.publish('k', 'through theirs', { exchange: theirs });
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['through theirs']));
  });
};
