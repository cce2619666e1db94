import assert from 'node:assert/strict';
import type { Delivery } from '../../../src/transport/transport.js';
import { ack, type Bench, classic, hold, openBench, quorum, requeue } from './support.js';

describe('a queue of the memory broker', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await openBench();
    await bench.declare({ queues: { q: quorum(), other: quorum(), classic: classic() } });
  });
  afterEach(() => bench.close());

  const publishAll = (...bodies: string[]) => Promise.all(bodies.map((body) => bench.publish('/q', body)));

  it('delivers in the order of arrival, never inside the call that publishes or consumes', async () => {
    const published = publishAll('1', '2');
    const consumer = await bench.consume('q', ack);
    assert.deepEqual(consumer.bodies, []);
    await published;
    await publishAll('3');
    await bench.clock.settle();
    assert.deepEqual(consumer.bodies, ['1', '2', '3']);
  });

  it('leaves the event loop to others between batches, even if consumers settle at once', async () => {
    for (let count = 0; count < 2_000; count += 1) void bench.publish('/q');
    for (let count = 0; count < 10; count += 1) void bench.publish('/other', 'other');
    const order: string[] = [];
    const note = (delivery: Delivery) => {
      order.push(delivery.queue);
      delivery.ack();
    };
    const long = await bench.consume('q', note);
    await bench.consume('other', note);
    await bench.clock.settle();
    assert.equal(long.deliveries.length, 2_000);
    assert.ok(
      order.indexOf('other') < 500,
      `the other queue waited for ${order.indexOf('other')} deliveries`,
    );
  });

  it('hands a consumer no more than its prefetch, and the next when one is settled', async () => {
    const consumer = await bench.consume('q', hold, 2);
    await publishAll('1', '2', '3', '4');
    await bench.clock.settle();
    assert.deepEqual(consumer.bodies, ['1', '2']);
    assert.equal(consumer.deliveries[1]?.ack(), true);
    await bench.clock.settle();
    assert.deepEqual(consumer.bodies, ['1', '2', '3']);
  });

  it('opens another window with each prefetch that is set; deliveries already handed out stay, and fill none of it', async () => {
    const consumer = await bench.consume('q', hold, 1);
    await publishAll('1', '2', '3', '4', '5');
    await bench.clock.settle();
    await consumer.consumer.setPrefetch(2);
    await bench.clock.settle();
    assert.deepEqual(consumer.bodies, ['1', '2', '3']);
    consumer.deliveries[0]?.ack();
    await bench.clock.settle();
    assert.deepEqual(consumer.bodies, ['1', '2', '3']);
    consumer.deliveries[2]?.ack();
    await bench.clock.settle();
    assert.deepEqual(consumer.bodies, ['1', '2', '3', '4']);
    await consumer.consumer.setPrefetch(0);
    consumer.deliveries[1]?.ack();
    consumer.deliveries[3]?.requeue();
    await bench.clock.settle();
    assert.equal(consumer.deliveries.length, 4);
  });

  it('serves its consumers in turn, and passes over those whose window is full', async () => {
    const wide = await bench.consume('q', hold, 10);
    const narrow = await bench.consume('q', hold, 1);
    const quick = await bench.consume('q', ack, 1);
    await publishAll('1', '2', '3', '4', '5', '6', '7');
    await bench.clock.settle();
    assert.deepEqual(wide.bodies, ['1', '4', '6']);
    assert.deepEqual(narrow.bodies, ['2']);
    assert.deepEqual(quick.bodies, ['3', '5', '7']);
  });

  it('keeps the turns fair when a consumer leaves', async () => {
    const collectors = await Promise.all([1, 2, 3].map(() => bench.consume('q', ack)));
    await publishAll('1', '2');
    await bench.clock.settle();
    await collectors[0]?.consumer.close();
    await publishAll('3', '4');
    await bench.clock.settle();
    assert.deepEqual(
      collectors.map(({ bodies }) => bodies),
      [['1'], ['2', '4'], ['3']],
    );
  });

  it('takes a requeued message back to its place, flagged and counted', async () => {
    const consumer = await bench.consume('q', hold, 3);
    await publishAll('1', '2', '3', '4');
    await bench.clock.settle();
    const [first, second, third] = consumer.deliveries as [Delivery, Delivery, Delivery];
    third.requeue();
    first.requeue();
    second.requeue();
    await bench.clock.settle();
    assert.deepEqual(consumer.bodies, ['1', '2', '3', '1', '2', '3']);
    const again = consumer.deliveries[3] as Delivery;
    assert.deepEqual([first.redelivered, first.deliveryCount], [false, 0]);
    assert.deepEqual([again.redelivered, again.deliveryCount], [true, 1]);
    assert.equal(again.properties.headers['x-delivery-count'], 1);
  });

  it('flags redeliveries but does not count them if it is classic', async () => {
    await bench.publish('/classic');
    let left = 2;
    const consumer = await bench.consume('classic', (delivery) =>
      left-- > 0 ? requeue(delivery) : ack(delivery),
    );
    await bench.clock.settle();
    assert.deepEqual(
      consumer.deliveries.map(({ redelivered, deliveryCount }) => [redelivered, deliveryCount]),
      [
        [false, 0],
        [true, 0],
        [true, 0],
      ],
    );
    assert.equal('x-delivery-count' in (consumer.deliveries[2] as Delivery).properties.headers, false);
  });

  it("passes on a publisher's own x-delivery-count on the first delivery, without believing it", async () => {
    await bench.publish('/q', '', { headers: { 'x-delivery-count': 99 } });
    const [delivery] = await bench.taken('q');
    assert.equal(delivery?.properties.headers['x-delivery-count'], 99);
    assert.equal(delivery?.deliveryCount, 0);
  });

  it('stops at cancel; what was handed out can still be settled', async () => {
    const consumer = await bench.consume('q', hold, 2);
    await publishAll('1', '2', '3');
    await bench.clock.settle();
    await consumer.consumer.cancel();
    assert.equal(consumer.deliveries[0]?.ack(), true);
    assert.equal(consumer.deliveries[1]?.requeue(), true);
    await bench.clock.settle();
    assert.equal(consumer.deliveries.length, 2);
    assert.deepEqual(await bench.drained('q'), ['2', '3']);
  });

  it('gets back in order what a consumer that closes had not settled, and lets nobody settle it later', async () => {
    const consumer = await bench.consume('q', hold, 4);
    await publishAll('1', '2', '3', '4', '5');
    await bench.clock.settle();
    consumer.deliveries[1]?.ack();
    await consumer.consumer.cancel();
    await consumer.consumer.close();
    const held = consumer.deliveries[0] as Delivery;
    assert.equal(held.lost, true);
    assert.equal(held.ack(), false);
    assert.equal(held.requeue(), false);
    assert.equal(consumer.deliveries[1]?.lost, false);
    const next = await bench.taken('q');
    assert.deepEqual(
      next.map(({ body, redelivered }) => `${body}${redelivered ? ' again' : ''}`),
      ['1 again', '3 again', '4 again', '5'],
    );
  });

  it('lets a delivery be settled once', async () => {
    const consumer = await bench.consume('q', hold);
    await publishAll('1');
    await bench.clock.settle();
    const delivery = consumer.deliveries[0] as Delivery;
    assert.equal(delivery.ack(), true);
    assert.equal(delivery.ack(), false);
    assert.equal(delivery.requeue(), false);
    await bench.clock.settle();
    assert.deepEqual(await bench.drained('q'), []);
  });
});
