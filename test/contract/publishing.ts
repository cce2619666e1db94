import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { PublishRejectedError, StoppedError, UnroutableError } from '../../src/index.js';
import type { Headers } from '../../src/message/properties.js';
import { ack, numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const publishing: Theme = (test) => {
  test('what is published is delivered once to the queue it is routed to, body and headers intact', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    await Promise.all(
      numbers(100).map((body) =>
        port.publish('k', body, { properties: { headers: { number: `n${body}` } } }),
      ),
    );
    const consumer = await port.consume('q', ack, 100);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 100));
    assert.deepEqual(consumer.bodies.toSorted(byNumber), numbers(100));
    for (const { body, properties, redelivered, routingKey, exchange, queue } of consumer.deliveries) {
      assert.equal(properties.headers.number, `n${body}`);
      assert.deepEqual([routingKey, redelivered], ['k', false]);
      assert.deepEqual([exchange, queue], [fx.name('e'), fx.name('q')]);
    }
  });

  test('one publisher and one consumer keep the order', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    const consumer = await port.consume('q', ack);
    await port.publishAll('k', numbers(300));
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 300));
    assert.deepEqual(consumer.bodies, numbers(300));
  });

  test('many publishers at once lose nothing', async (fx) => {
    const ports = await Promise.all(numbers(4).map(() => fx.port()));
    await ports[0]?.queues({ q: ['#'] });
    const consumer = await ports[0]?.consume('q', ack, 50);
    await Promise.all(
      ports.map((port, sender) =>
        port.publishAll(
          'k',
          numbers(50).map((number) => `${sender}.${number}`),
        ),
      ),
    );
    await fx.eventually(() => assert.equal(new Set(consumer?.bodies).size, 200));
    assert.equal(consumer?.deliveries.length, 200);
  });

  test('a message reaches the queues whose patterns match its key, and no other', async (fx) => {
    const port = await fx.port();
    await port.queues({ one: ['order.*.paid'], many: ['order.#'], exact: ['order'], other: ['invoice.#'] });
    const keys = ['order', 'order.7', 'order.7.paid', 'order.7.8.paid', 'invoice', 'x.order'];
    for (const key of keys) await port.publish(key, key);
    const sentinel = { one: 'order.end.paid', many: 'order.end', exact: 'order', other: 'invoice.end' };
    for (const key of new Set(Object.values(sentinel))) await port.publish(key, 'end');
    const bodiesOf = async (queue: string) => {
      const consumer = await port.consume(queue, ack, 50);
      await fx.eventually(() => consumer.bodies.includes('end'));
      return consumer.bodies.filter((body) => body !== 'end');
    };
    assert.deepEqual(await bodiesOf('one'), ['order.7.paid']);
    assert.deepEqual(await bodiesOf('many'), ['order', 'order.7', 'order.7.paid', 'order.7.8.paid']);
    assert.deepEqual(await bodiesOf('exact'), ['order']);
    assert.deepEqual(await bodiesOf('other'), ['invoice']);
  });

  test('each queue bound to a key gets one copy, however many of its patterns match', async (fx) => {
    const port = await fx.port();
    await port.queues({ left: ['a.b', 'a.*', '#'], right: ['a.#'] });
    await port.publishAll('a.b', ['1', '2']);
    for (const queue of ['left', 'right']) {
      const consumer = await port.consume(queue, ack, 50);
      await fx.eventually(() => consumer.bodies.at(-1) === '2');
      assert.deepEqual(consumer.bodies, ['1', '2'], queue);
    }
  });

  test('a message that no queue takes is confirmed, or an UnroutableError if some queue must take it', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['somewhere'] });
    await port.publish('nowhere');
    await assert.rejects(
      port.publish('nowhere', '', { mustRoute: true, properties: { messageId: 'id-1' } }),
      (error) => {
        assert.ok(error instanceof UnroutableError);
        assert.deepEqual(
          [error.exchange, error.routingKey, error.messageId],
          [fx.name('e'), 'nowhere', 'id-1'],
        );
        return true;
      },
    );
    await port.publish('somewhere', '', { mustRoute: true });
  });

  test('among many messages that must be taken exactly the unroutable ones fail, whatever their ids', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['yes.#'] });
    const ids = ['same', 'same', 'other', undefined];
    const keys = numbers(80).map((number) => `${Number(number) % 3 === 0 ? 'no' : 'yes'}.${number}`);
    const outcomes = await Promise.allSettled(
      keys.map((key, index) => {
        const messageId = ids[index % ids.length];
        return port.publish(key, '', { mustRoute: true, properties: messageId ? { messageId } : {} });
      }),
    );
    outcomes.forEach((outcome, index) => {
      const key = keys[index] as string;
      assert.equal(outcome.status, key.startsWith('no') ? 'rejected' : 'fulfilled', key);
      if (outcome.status === 'rejected') assert.equal((outcome.reason as UnroutableError).routingKey, key);
    });
  });

  test('a publish to an exchange that does not exist is rejected alone; those beside it are confirmed', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    const before = port.publishAll('k', numbers(20));
    const wrong = port.publish('k', '', { exchange: 'missing' });
    const after = port.publishAll('k', ['after']);
    await assert.rejects(wrong, (error) => {
      assert.ok(error instanceof PublishRejectedError);
      assert.match(error.message, new RegExp(`no exchange '${fx.name('missing')}'`));
      return true;
    });
    await Promise.all([before, after]);
    await port.publish('k', 'later');
    const consumer = await port.consume('q', ack, 50);
    await fx.eventually(() => consumer.bodies.includes('later'));
    // What shared a channel with the wrong one may come twice; nothing may be missing.
    assert.deepEqual([...new Set(consumer.bodies)].toSorted(), [...numbers(20), 'after', 'later'].toSorted());
  });

  test('a publish that a full queue refuses is rejected, and accepted once there is room', async (fx) => {
    const port = await fx.port();
    await port.declare({
      exchanges: { e: 'topic' },
      queues: { q: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } },
      bindings: ['e -> q: #'],
    });
    // RabbitMQ learns that a quorum queue is full a moment later, so the first that is over may still be let in.
    const outcomes: string[] = [];
    await fx.eventually(async () => {
      const outcome = await port.publish('k').then(
        () => 'confirmed',
        (error) => error.name,
      );
      outcomes.push(outcome);
      return outcome !== 'confirmed';
    });
    assert.equal(outcomes.at(-1), PublishRejectedError.name);
    await port.consume('q', ack, 50);
    await fx.eventually(() => port.publish('k'));
  });

  test('properties and headers of every kind arrive as they were sent', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    const headers: Headers = {
      text: 'naïve – 日本語 – 🐇',
      '🐇 name': 'unicode in a name',
      empty: '',
      number: 42,
      negative: -1,
      big: 2 ** 40,
      fraction: 0.5,
      yes: true,
      no: false,
      nothing: null,
      moment: new Date(1_700_000_000_000),
      bytes: Buffer.from([0, 255, 1]),
      list: [1, 'two', [false], { three: 3 }],
      table: { nested: { deep: 'ä' } },
    };
    const properties = {
      messageId: 'id',
      timestamp: 1_700_000_000,
      type: 'type',
      appId: 'app',
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      correlationId: 'correlation',
      replyTo: 'reply',
      priority: 3,
      deliveryMode: 2,
    };
    await port.publish('schlüssel.🐇', 'x', { properties: { ...properties, headers } });
    const consumer = await port.consume('q', ack);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 1));
    const { properties: received, routingKey } = consumer.at(0);
    assert.equal(routingKey, 'schlüssel.🐇');
    for (const [name, value] of Object.entries(properties)) {
      assert.equal(received[name as keyof typeof properties], value, name);
    }
    assert.equal(Object.getPrototypeOf(received.headers), null);
    assert.deepEqual(plain(received.headers), plain(headers));
  });

  test('bodies of 0 bytes, of every byte and of 1 MiB arrive byte for byte', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    const bodies = [
      Buffer.alloc(0),
      Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
      randomBytes(2 ** 20),
    ];
    for (const body of bodies) await port.publish('k', body);
    const consumer = await port.consume('q', ack);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 3));
    consumer.deliveries.forEach(({ body }, index) => {
      assert.ok(body.equals(bodies[index] as Buffer), `body ${index}`);
    });
  });

  test('publishes beyond the limits of the window wait for room, and all are confirmed in order', async (fx) => {
    const port = await fx.port({ maxInFlight: 3, maxInFlightBytes: 2_000 });
    await port.queues({ q: ['#'] });
    const bodies = numbers(40).map((number) => number.padEnd(900, '.'));
    await port.publishAll('k', [...bodies, 'larger than the window'.padEnd(5_000, '.')]);
    const consumer = await port.consume('q', ack, 50);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 41));
    assert.deepEqual(consumer.bodies.slice(0, 40), bodies);
  });

  test('drain lets what is in flight be confirmed and takes nothing more', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    let confirmed = 0;
    const inFlight = numbers(200).map((body) =>
      port.publish('k', body).then(() => {
        confirmed += 1;
      }),
    );
    const drained = port.session.drain(port.deadline);
    await assert.rejects(port.publish('k', 'late'), StoppedError);
    await drained;
    assert.equal(confirmed, 200);
    await Promise.all(inFlight);
    const consumer = await port.consume('q', ack, 200);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 200));
  });
};

function byNumber(left: string, right: string): number {
  return Number(left) - Number(right);
}

/** Tables without their prototypes, as an assertion compares them. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date || Buffer.isBuffer(value))
    return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}
