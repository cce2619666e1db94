import assert from 'node:assert/strict';
import { TopologyError } from '../../src/index.js';
import { ack, type Collector, hold, numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const consuming: Theme = (test) => {
  test('a consumer that comes later gets what was confirmed before, in order', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publishAll('k', ['old 1', 'old 2']);
    const first = await port.consume('q', ack);
    await fx.eventually(() => assert.deepEqual(first.bodies, ['old 1', 'old 2']));
    await first.consumer.close();
    await port.publishAll('k', ['new']);
    const second = await port.consume('q', ack);
    await fx.eventually(() => assert.deepEqual(second.bodies, ['new']));
  });

  test('the consumers of one queue share its messages, each of which goes to one of them', async (fx) => {
    const ports = await Promise.all(numbers(3).map(() => fx.port()));
    await ports[0]?.queues({ q: ['#'] });
    const consumers = await Promise.all(
      ports.flatMap((port) => [port.consume('q', ack, 5), port.consume('q', ack, 5)]),
    );
    await ports[0]?.publishAll('k', numbers(300));
    await fx.eventually(() => assert.equal(bodiesOf(consumers).length, 300));
    assert.equal(new Set(bodiesOf(consumers)).size, 300);
    for (const { deliveries } of consumers) assert.ok(deliveries.length > 0, 'a consumer got nothing');
  });

  test('consumers of many queues at once each get their own messages', async (fx) => {
    const port = await fx.port();
    const queues = numbers(6).map((number) => `q${number}`);
    await port.queues(Object.fromEntries(queues.map((queue) => [queue, [queue]])));
    const consumers = await Promise.all(queues.map((queue) => port.consume(queue, ack, 20)));
    await Promise.all(
      queues.map((queue) =>
        port.publishAll(
          queue,
          numbers(30).map((body) => `${queue} ${body}`),
        ),
      ),
    );
    await fx.eventually(() => assert.equal(bodiesOf(consumers).length, 180));
    consumers.forEach(({ bodies }, index) => {
      assert.deepEqual(
        bodies,
        numbers(30).map((body) => `${queues[index]} ${body}`),
      );
    });
  });

  test('no more deliveries are unsettled than the prefetch allows', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publishAll('k', numbers(30));
    const consumer = await port.consume('q', hold, 4);
    for (let settled = 0; settled < 30; settled += 1) {
      // At the full width again after each ack: neither more nor fewer.
      await fx.eventually(() => assert.equal(consumer.deliveries.length, Math.min(30, settled + 4)));
      consumer.ack(consumer.at(settled));
    }
    assert.equal(consumer.mostHeld, 4);
    assert.deepEqual(consumer.bodies, numbers(30));
  });

  test('setPrefetch opens another window at once, in which what is here does not count', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publishAll('k', numbers(40));
    const consumer = await port.consume('q', hold, 1);
    const comes = (count: number) => fx.eventually(() => assert.equal(consumer.deliveries.length, count));
    await comes(1);
    for (const [prefetch, total] of [
      [5, 6],
      [5, 11],
      [1, 12],
    ] as const) {
      await consumer.consumer.setPrefetch(prefetch);
      await comes(total);
    }
    // What came through windows that are closed makes no room in this one.
    for (const delivery of consumer.deliveries.slice(0, 11)) consumer.ack(delivery);
    const other = await port.consume('q', hold, 3);
    await fx.eventually(() => assert.deepEqual(other.bodies, ['12', '13', '14']));
    assert.equal(consumer.deliveries.length, 12);
    consumer.ack(consumer.at(11));
    await comes(13);
    assert.deepEqual(
      consumer.deliveries.map(({ window }) => window),
      [1, ...Array(5).fill(2), ...Array(5).fill(3), 4, 4],
    );
    assert.equal(consumer.at(12).body.toString(), '15');
  });

  test('a full window that is changed hands nothing out twice', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publishAll('k', numbers(30));
    const consumer = await port.consume('q', hold, 1);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 1));
    await consumer.consumer.setPrefetch(10);
    await fx.eventually(() => {
      consumer.ackAll();
      assert.equal(consumer.deliveries.length, 30);
    });
    assert.deepEqual(consumer.bodies, numbers(30));
    assert.ok(consumer.deliveries.every(({ redelivered }) => !redelivered));
  });

  test('a window of 0 pauses: nothing more comes, what is here can be settled, and another window goes on', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'], other: ['#'] });
    const consumer = await port.consume('q', hold, 2);
    await port.publishAll('k', numbers(5));
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 2));
    await consumer.consumer.setPrefetch(0);
    assert.equal(consumer.at(0).requeue(), true);
    assert.equal(consumer.ack(consumer.at(1)), true);
    // What comes to another consumer meanwhile shows that nothing is under way to this one.
    const other = await port.consume('q', hold, 4);
    await fx.eventually(() => assert.deepEqual(other.bodies, ['0', '2', '3', '4']));
    await port.publish('k', '5');
    assert.equal(consumer.deliveries.length, 2);
    await consumer.consumer.setPrefetch(1);
    await fx.eventually(() => assert.deepEqual(consumer.bodies, ['0', '1', '5']));
  });

  test('changes of the window that overtake each other end with the last', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    const consumer = await port.consume('q', hold, 1);
    await Promise.all([7, 2, 9, 3].map((prefetch) => consumer.consumer.setPrefetch(prefetch)));
    await port.publishAll('k', numbers(10));
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 3));
    consumer.ack(consumer.at(0));
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 4));
    assert.equal(consumer.mostHeld, 3);
  });

  test('after cancel nothing more is delivered, and what is here can still be settled', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publishAll('k', numbers(6));
    const consumer = await port.consume('q', hold, 3);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 3));
    await consumer.consumer.cancel();
    assert.deepEqual([consumer.at(0).ack(), consumer.at(1).ack()], [true, true]);
    await consumer.consumer.close();
    const next = await port.consume('q', ack);
    await fx.eventually(() => assert.equal(next.deliveries.length, 4));
    assert.deepEqual(next.bodies, ['2', '3', '4', '5']);
    assert.equal(consumer.deliveries.length, 3);
  });

  test('what a consumer has not settled when it closes goes to the next one in its old place, marked redelivered', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publishAll('k', numbers(5));
    const first = await port.consume('q', hold, 3);
    await fx.eventually(() => assert.equal(first.deliveries.length, 3));
    await first.consumer.cancel();
    first.at(1).ack();
    await first.consumer.close();
    const next = await port.consume('q', ack);
    await fx.eventually(() => assert.equal(next.deliveries.length, 4));
    assert.deepEqual(
      next.deliveries.map(({ body, redelivered }) => `${body} ${redelivered}`),
      ['0 true', '2 true', '3 false', '4 false'],
    );
  });

  test('what a session has not settled when it closes is delivered again to another session', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    const crashing = await fx.port();
    await port.publishAll('k', ['1', '2']);
    const held = await crashing.consume('q', hold);
    await fx.eventually(() => assert.equal(held.deliveries.length, 2));
    const next = await port.consume('q', ack);
    await crashing.close();
    await fx.eventually(() => assert.equal(next.deliveries.length, 2));
    assert.deepEqual(
      next.deliveries.map(({ body, redelivered }) => `${body} ${redelivered}`),
      ['1 true', '2 true'],
    );
  });

  test('nothing is lost while consumers come and go with deliveries in their hands', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publishAll('k', numbers(100));
    const settled = new Set<string>();
    for (let round = 0; settled.size < 100; round += 1) {
      assert.ok(round < 20, `only ${settled.size} messages after ${round} consumers`);
      const consumer = await port.consume('q', hold, 16);
      await fx.eventually(() => assert.ok(consumer.deliveries.length >= Math.min(16, 100 - settled.size)));
      for (const delivery of consumer.deliveries.slice(0, 8)) {
        if (delivery.ack()) settled.add(delivery.body.toString());
      }
      await consumer.consumer.close();
    }
    const last = await port.consume('q', ack);
    await port.publish('k', 'end');
    await fx.eventually(() => assert.deepEqual(last.bodies, ['end']));
  });

  test('consumers that open and close all at once take nothing with them', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    const publishing = port.publishAll('k', numbers(50));
    await Promise.all(
      numbers(8).map(async () => {
        const each = await fx.port();
        const consumer = await each.consume('q', hold, 5);
        await Promise.all([consumer.consumer.close(), each.close()]);
      }),
    );
    await publishing;
    const consumer = await port.consume('q', ack, 50);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 50));
    assert.equal(new Set(consumer.bodies).size, 50);
  });

  test('to consume a queue that does not exist is a TopologyError that names it, and harms no other consumer', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    const consumer = await port.consume('q', ack);
    await assert.rejects(port.consume('missing', ack), (error) => {
      assert.ok(error instanceof TopologyError);
      assert.equal(error.resource, `queue '${fx.name('missing')}'`);
      return true;
    });
    await port.publish('k', 'still there');
    await fx.eventually(() => assert.deepEqual(consumer.bodies, ['still there']));
    assert.deepEqual(consumer.losses, []);
  });
};

function bodiesOf(consumers: readonly Collector[]): string[] {
  return consumers.flatMap(({ bodies }) => bodies);
}
