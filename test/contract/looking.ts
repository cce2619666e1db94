import assert from 'node:assert/strict';
import { TopologyError } from '../../src/index.js';
import { ack, type Collector, hold, numbers } from '../support/port.js';
import type { Theme } from './theme.js';

/** A dead-letter queue as it is declared: looking at it counts as deliveries, of which it allows a billion. */
const DEAD = { 'x-delivery-limit': 1_000_000_000 } as const;

export const looking: Theme = (test) => {
  test('inspect counts what waits and who consumes, and takes nothing', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    assert.deepEqual(await port.session.inspect(fx.name('q')), { ready: 0, consumers: 0 });
    await port.publishAll('k', numbers(5));
    await fx.eventually(async () =>
      assert.deepEqual(await port.session.inspect(fx.name('q')), { ready: 5, consumers: 0 }),
    );
    const consumer = await port.consume('q', hold, 2);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 2));
    await fx.eventually(async () =>
      assert.deepEqual(await port.session.inspect(fx.name('q')), { ready: 3, consumers: 1 }),
    );
    assert.ok(consumer.deliveries.every(({ redelivered }) => !redelivered));
  });

  test('inspect of a queue that does not exist is undefined, and harms nobody', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    const consumer = await port.consume('q', ack);
    assert.equal(await port.session.inspect(fx.name('missing')), undefined);
    await port.publish('k', 'still there');
    await fx.eventually(() => assert.deepEqual(consumer.bodies, ['still there']));
    assert.deepEqual(consumer.losses, []);
  });

  test('peek shows the first message, and leaves it in its place, as often as that is free', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publishAll('k', numbers(3));
    await fx.eventually(async () => assert.equal((await port.session.inspect(fx.name('q')))?.ready, 3));
    const { peekIsFree } = port.session.brokerInfo;
    // The queue's delivery limit is 20.
    for (let times = 0; times < (peekIsFree ? 50 : 2); times += 1) {
      const first = await port.session.peek(fx.name('q'));
      assert.equal(first?.body.toString(), numbers(3)[0]);
      await fx.eventually(async () => assert.equal((await port.session.inspect(fx.name('q')))?.ready, 3));
    }
    const consumer = await port.consume('q', ack);
    await fx.eventually(() => assert.deepEqual(consumer.bodies, numbers(3)));
    if (peekIsFree) assert.equal(consumer.at(0).deliveryCount, 0);
  });

  test('peek of a queue that is empty, or does not exist, is undefined, and harms nobody', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    for (const name of ['q', 'missing']) assert.equal(await port.session.peek(fx.name(name)), undefined);
    const consumer = await port.consume('q', ack);
    await port.publish('k', 'still there');
    await fx.eventually(() => assert.deepEqual(consumer.bodies, ['still there']));
  });

  test('browse shows the first messages in their order, more and fewer of them, and leaves them so, uncharged', async (fx) => {
    const port = await fx.port();
    const { peekIsFree } = port.session.brokerInfo;
    const args = { 'x-queue-type': peekIsFree ? 'quorum' : 'classic' } as const;
    await port.declare({ exchanges: { e: 'topic' }, queues: { q: args }, bindings: ['e -> q: #'] });
    const browse = async (most: number) =>
      (await port.session.browse(fx.name('q'), most))?.map(({ body }) => body.toString());
    assert.deepEqual(await browse(5), []);
    await port.publishAll('k', numbers(12));
    for (const most of [5, 2, 7, 2, 20, 1, 12]) {
      await fx.eventually(async () => assert.equal((await port.session.inspect(fx.name('q')))?.ready, 12));
      assert.deepEqual(await browse(most), numbers(12).slice(0, most), `of ${most}`);
    }
    const [first] = (await port.session.browse(fx.name('q'), 1)) ?? [];
    assert.equal(first?.routingKey, 'k');
    const consumer = await port.consume('q', ack, 20);
    await fx.eventually(() => assert.deepEqual(consumer.bodies, numbers(12)));
    assert.ok(consumer.deliveries.every(({ deliveryCount }) => deliveryCount === 0));
    assert.equal(await port.session.browse(fx.name('missing'), 1), undefined);
  });

  test('browse takes nothing of a queue that would be charged for it, and says what to do', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publishAll('k', numbers(3));
    await fx.eventually(async () => assert.equal((await port.session.inspect(fx.name('q')))?.ready, 3));
    const looked = port.session.browse(fx.name('q'), 2);
    if (port.session.brokerInfo.peekIsFree) assert.equal((await looked)?.length, 2);
    else
      await assert.rejects(
        looked,
        (error: Error) =>
          error instanceof TopologyError && /is no classic queue: .* count/.test(error.message),
      );
    const consumer = await port.consume('q', ack);
    await fx.eventually(() => assert.deepEqual(consumer.bodies, numbers(3)));
    assert.ok(consumer.deliveries.every(({ deliveryCount }) => deliveryCount === 0));
    assert.deepEqual(consumer.losses, []);
  });

  test('browse sees what waits behind busy consumers, who go on with what they hold', async (fx) => {
    const port = await fx.port();
    const { peekIsFree } = port.session.brokerInfo;
    const args = { 'x-queue-type': peekIsFree ? 'quorum' : 'classic' } as const;
    await port.declare({ exchanges: { e: 'topic' }, queues: { q: args }, bindings: ['e -> q: #'] });
    const busy = await port.consume('q', hold, 2);
    await port.publishAll('k', numbers(5));
    await fx.eventually(async () => assert.equal((await port.session.inspect(fx.name('q')))?.ready, 3));
    const seen = await port.session.browse(fx.name('q'), 10);
    assert.deepEqual(
      seen?.map(({ body }) => body.toString()),
      numbers(5).slice(2),
    );
    assert.ok(busy.deliveries.every((delivery) => delivery.ack()));
    await fx.eventually(() => assert.deepEqual(busy.bodies.slice(2), numbers(5).slice(2, 4)));
  });

  test('purge deletes what waits and says how many it were; what a consumer holds stays, and is settled as ever', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'], other: ['#'] });
    await port.publishAll('k', numbers(5));
    await fx.eventually(async () => assert.equal((await port.session.inspect(fx.name('q')))?.ready, 5));
    const consumer = await port.consume('q', hold, 2);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 2));
    await fx.eventually(async () => assert.equal((await port.session.inspect(fx.name('q')))?.ready, 3));
    assert.equal(await port.session.purge(fx.name('q')), 3);
    await fx.eventually(async () =>
      assert.deepEqual(await port.session.inspect(fx.name('q')), { ready: 0, consumers: 1 }),
    );
    assert.deepEqual(consumer.losses, []);
    const [first, second] = consumer.deliveries;
    assert.equal(first?.ack(), true);
    await consumer.consumer.cancel();
    assert.equal(second?.requeue(), true);
    const after = await port.consume('q', ack);
    await fx.eventually(() => assert.deepEqual(after.bodies, [numbers(5)[1]]));
    assert.equal((await port.session.inspect(fx.name('other')))?.ready, 5, 'another queue keeps its own');
  });

  test('purge of a queue that is empty deletes none, and what comes after it is delivered', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    assert.equal(await port.session.purge(fx.name('q')), 0);
    await port.publish('k', 'after');
    const consumer = await port.consume('q', ack);
    await fx.eventually(() => assert.deepEqual(consumer.bodies, ['after']));
  });

  test('purge of a queue that does not exist is refused by name, and harms nobody', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    const consumer = await port.consume('q', ack);
    await assert.rejects(
      port.session.purge(fx.name('missing')),
      (error: Error) => error instanceof TopologyError && error.message.includes(fx.name('missing')),
    );
    await port.publish('k', 'still there');
    await fx.eventually(() => assert.deepEqual(consumer.bodies, ['still there']));
    assert.deepEqual(consumer.losses, []);
  });

  test('a queue that is looked at in pages, each held while the next is taken, is as it was when all are closed', async (fx) => {
    const port = await fx.port();
    await port.declare({ exchanges: { e: 'topic' }, queues: { q: DEAD }, bindings: ['e -> q: #'] });
    await port.publishAll('k', numbers(250));
    for (let round = 0; round < 3; round += 1) {
      const pages = await takePages(fx.eventually, () => port.consume('q', hold, 100));
      assert.deepEqual(
        pages.flatMap(({ bodies }) => bodies),
        numbers(250),
        `round ${round}`,
      );
      for (const { consumer } of pages) await consumer.close();
    }
    const after = await port.consume('q', ack, 300);
    await fx.eventually(() => assert.equal(after.deliveries.length, 250));
    assert.deepEqual(after.bodies, numbers(250));
  });

  test('what is acked out of the middle of pages is gone, and the rest keeps its order', async (fx) => {
    const port = await fx.port();
    await port.declare({ exchanges: { e: 'topic' }, queues: { q: DEAD }, bindings: ['e -> q: #'] });
    await port.publishAll('k', numbers(250));
    const pages = await takePages(fx.eventually, () => port.consume('q', hold, 100));
    const taken = pages.flatMap(({ deliveries }) => deliveries).filter((_, index) => index % 7 === 3);
    for (const delivery of taken) assert.equal(delivery.ack(), true);
    for (const { consumer } of pages) await consumer.close();
    const after = await port.consume('q', ack, 300);
    const rest = numbers(250).filter((_, index) => index % 7 !== 3);
    await fx.eventually(() => assert.equal(after.deliveries.length, rest.length));
    assert.deepEqual(after.bodies, rest);
  });
};

/** Three pages of a hundred at most; each consumer is cancelled before the next begins, so that none gets more. */
async function takePages(
  eventually: (condition: () => void) => Promise<unknown>,
  open: () => Promise<Collector>,
): Promise<Collector[]> {
  const pages: Collector[] = [];
  for (const size of [100, 100, 50]) {
    const page = await open();
    pages.push(page);
    await eventually(() => assert.equal(page.deliveries.length, size));
    await page.consumer.cancel();
  }
  return pages;
}
