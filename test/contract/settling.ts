import assert from 'node:assert/strict';
import { ack, hold, numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const settling: Theme = (test) => {
  test('an ack settles its own message and no other, in whatever order acks come', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publishAll('k', numbers(8));
    const consumer = await port.consume('q', hold);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 8));
    for (const index of [6, 1, 3]) consumer.at(index).ack();
    await consumer.consumer.close();
    const next = await port.consume('q', ack);
    await fx.eventually(() => assert.equal(next.deliveries.length, 5));
    assert.deepEqual(next.bodies, ['0', '2', '4', '5', '7']);
  });

  test('a queue whose consumer acks nothing stands still, and goes on with the ack', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'], witness: ['#'] });
    const consumer = await port.consume('q', hold, 1);
    const witness = await port.consume('witness', ack);
    await port.publishAll('k', ['1', '2']);
    await fx.eventually(() => {
      assert.deepEqual(witness.bodies, ['1', '2']);
      assert.deepEqual(consumer.bodies, ['1']);
    });
    consumer.ack(consumer.at(0));
    await fx.eventually(() => assert.deepEqual(consumer.bodies, ['1', '2']));
    assert.equal(consumer.mostHeld, 1);
  });

  test('a requeued message comes again before those behind it, marked redelivered', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publishAll('k', ['1', '2', '3']);
    let requeued = false;
    const consumer = await port.consume(
      'q',
      (delivery) => {
        if (requeued) delivery.ack();
        else requeued = delivery.requeue();
      },
      1,
    );
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 4));
    assert.deepEqual(
      consumer.deliveries.map(({ body, redelivered }) => `${body} ${redelivered}`),
      ['1 false', '1 true', '2 false', '3 false'],
    );
  });

  test('a rejected message goes to the dead letters by the broker itself, with what it came with, and the next one comes', async (fx) => {
    const port = await fx.port();
    await port.declare({
      exchanges: { e: 'topic', x: 'direct' },
      queues: {
        dead: {},
        q: { 'x-dead-letter-exchange': 'x', 'x-dead-letter-routing-key': 'q' },
      },
      bindings: ['e -> q: #', 'x -> dead: q'],
    });
    for (const body of ['1', '2']) await port.publish('k', body, { properties: { headers: { mine: 1 } } });
    const consumer = await port.consume('q', hold, 1);
    await fx.eventually(() => assert.deepEqual(consumer.bodies, ['1']));
    const first = consumer.at(0);
    assert.deepEqual([first.isSettled, first.reject(), first.isSettled], [false, true, true]);
    assert.deepEqual([first.reject(), first.ack(), first.requeue()], [false, false, false]);
    const dead = await port.consume('dead', hold);
    await fx.eventually(() => assert.deepEqual([consumer.bodies, dead.bodies], [['1', '2'], ['1']]));
    const { headers } = dead.at(0).properties;
    assert.equal(headers.mine, 1);
    const [death] = headers['x-death'] as { reason: string; queue: string }[];
    assert.deepEqual([death?.reason, death?.queue], ['rejected', fx.name('q')]);
  });

  test('what is requeued is delivered until somebody acks it', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publishAll('k', numbers(20));
    const timesOf = new Map<string, number>();
    const consumer = await port.consume('q', (delivery) => {
      const body = delivery.body.toString();
      const times = (timesOf.get(body) ?? 0) + 1;
      timesOf.set(body, times);
      if (times === 3) delivery.ack();
      else delivery.requeue();
    });
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 60));
    assert.deepEqual(new Set(timesOf.values()), new Set([3]));
  });

  test('consumers that requeue all they get do not spoil it for the one that acks', async (fx) => {
    const port = await fx.port();
    await port.declare({
      exchanges: { e: 'topic' },
      queues: { q: { 'x-delivery-limit': 100_000 } },
      bindings: ['e -> q: #'],
    });
    await port.publishAll('k', numbers(50));
    for (let round = 0; round < 2; round += 1) {
      let refusals = 0;
      const refusing = await port.consume('q', (delivery) => {
        refusals += 1;
        if (refusals <= 100) delivery.requeue();
      });
      await fx.eventually(() => assert.ok(refusals > 100));
      await refusing.consumer.close();
    }
    const consumer = await port.consume('q', ack, 50);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 50));
    assert.equal(new Set(consumer.bodies).size, 50);
  });

  test('a delivery is settled once: after that settling says false and does nothing', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publishAll('k', ['acked', 'requeued']);
    const consumer = await port.consume('q', hold, 2);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 2));
    const [acked, requeued] = [consumer.at(0), consumer.at(1)];
    assert.deepEqual([acked.ack(), acked.ack(), acked.requeue()], [true, false, false]);
    assert.deepEqual([requeued.requeue(), requeued.ack(), requeued.requeue()], [true, false, false]);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 3));
    assert.equal(consumer.at(2).ack(), true);
    await port.publish('k', 'end');
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 4));
    assert.deepEqual(consumer.bodies, ['acked', 'requeued', 'requeued', 'end']);
    assert.deepEqual(consumer.losses, []);
  });

  test('a delivery of a closed consumer is lost: settling it says false and acks nothing of its successor', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await port.publish('k', 'once');
    const first = await port.consume('q', hold);
    await fx.eventually(() => assert.equal(first.deliveries.length, 1));
    assert.equal(first.at(0).lost, false);
    await first.consumer.close();
    assert.equal(first.at(0).lost, true);
    const second = await port.consume('q', hold);
    await fx.eventually(() => assert.equal(second.deliveries.length, 1));
    assert.deepEqual([first.at(0).ack(), first.at(0).requeue()], [false, false]);
    await second.consumer.close();
    const third = await port.consume('q', ack);
    await fx.eventually(() => assert.deepEqual(third.bodies, ['once']));
  });

  test('what comes back more often than the delivery limit allows goes to the dead letters, with its way in x-death', async (fx) => {
    const port = await fx.port();
    await port.declare({
      exchanges: { e: 'topic', dlx: 'direct' },
      queues: {
        dead: {},
        q: {
          'x-delivery-limit': 2,
          'x-dead-letter-exchange': 'dlx',
          'x-dead-letter-routing-key': 'died',
          'x-dead-letter-strategy': 'at-least-once',
          'x-overflow': 'reject-publish',
        },
      },
      bindings: ['e -> q: #', 'dlx -> dead: died'],
    });
    await port.publish('poison', 'deadly', { properties: { headers: { kept: 'yes' } } });
    const counts: number[] = [];
    for (let crash = 0; crash < 3; crash += 1) {
      const consumer = await port.consume('q', hold);
      await fx.eventually(() => assert.equal(consumer.deliveries.length, 1));
      counts.push(consumer.at(0).deliveryCount);
      await consumer.consumer.close();
    }
    assert.deepEqual(counts, [0, 1, 2]);
    const dead = await port.consume('dead', ack);
    await fx.eventually(() => assert.equal(dead.deliveries.length, 1));
    const { body, routingKey, exchange, properties } = dead.at(0);
    assert.deepEqual([body.toString(), routingKey, exchange], ['deadly', 'died', fx.name('dlx')]);
    assert.equal(properties.headers.kept, 'yes');
    const [death] = properties.headers['x-death'] as { [name: string]: unknown }[];
    assert.deepEqual(
      [death?.reason, death?.queue, death?.exchange, death?.['routing-keys']],
      ['delivery_limit', fx.name('q'), fx.name('e'), ['poison']],
    );
  });

  test('a delivery count is believed only when the broker has counted it', async (fx) => {
    const port = await fx.port();
    await port.declare({
      exchanges: { e: 'topic' },
      queues: { counting: {}, flagging: { 'x-queue-type': 'classic' } },
      bindings: ['e -> counting: #', 'e -> flagging: #'],
    });
    await port.publish('k', 'forged', { properties: { headers: { 'x-delivery-count': 17 } } });
    const seen = async (queue: string) => {
      const consumer = await port.consume(queue, hold);
      await fx.eventually(() => assert.equal(consumer.deliveries.length, 1));
      await consumer.consumer.close();
      return [consumer.at(0).redelivered, consumer.at(0).deliveryCount];
    };
    assert.deepEqual(await seen('counting'), [false, 0]);
    assert.deepEqual(await seen('counting'), [true, 1]);
    assert.deepEqual(await seen('flagging'), [false, 0]);
    assert.deepEqual(await seen('flagging'), [true, 0]);
  });
};
