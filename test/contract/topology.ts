import assert from 'node:assert/strict';
import { TopologyError } from '../../src/index.js';
import type { QueueArguments } from '../../src/topology/plan.js';
import { ack, numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const topology: Theme = (test) => {
  test('the same plan may be declared again and again, by any number of sessions at once', async (fx) => {
    const ports = await Promise.all(numbers(3).map(() => fx.port()));
    await Promise.all(ports.map((port) => port.queues({ q: ['a.*', '#'] })));
    await ports[0]?.queues({ q: ['a.*', '#'] });
    await ports[1]?.publish('a.b', 'one copy');
    await ports[1]?.publish('end', 'end');
    const consumer = await ports[2]?.consume('q', ack);
    await fx.eventually(() => assert.deepEqual(consumer?.bodies, ['one copy', 'end']));
  });

  test('a queue that exists with other arguments is a TopologyError that names it, and its consumers go on', async (fx) => {
    const port = await fx.port();
    await port.declare({
      exchanges: { e: 'topic' },
      queues: { q: { 'x-delivery-limit': 5 } },
      bindings: ['e -> q: #'],
    });
    const consumer = await port.consume('q', ack);
    const other = await fx.port();
    const wanted: Partial<QueueArguments>[] = [
      { 'x-delivery-limit': 6 },
      {},
      { 'x-delivery-limit': 5, 'x-message-ttl': 1_000 },
    ];
    for (const args of wanted) {
      for (const asking of [port, other]) {
        await assert.rejects(asking.declare({ queues: { q: args, sibling: {} } }), (error) => {
          assert.ok(error instanceof TopologyError);
          assert.equal(error.resource, `queue '${fx.name('q')}'`);
          assert.match(
            error.message,
            /PRECONDITION_FAILED - inequivalent arg 'x-(delivery-limit|message-ttl)'/,
          );
          return true;
        });
      }
    }
    await other.publish('k', 'undisturbed');
    await fx.eventually(() => assert.deepEqual(consumer.bodies, ['undisturbed']));
    assert.deepEqual(consumer.losses, []);
  });

  test('an exchange that exists with another type is a TopologyError that names it', async (fx) => {
    const port = await fx.port();
    await port.declare({ exchanges: { e: 'topic' } });
    await assert.rejects(port.declare({ exchanges: { e: 'direct' } }), (error) => {
      assert.ok(error instanceof TopologyError);
      assert.equal(error.resource, `exchange '${fx.name('e')}'`);
      return true;
    });
  });

  test('a binding to something that does not exist is a TopologyError', async (fx) => {
    const port = await fx.port();
    await port.declare({ exchanges: { e: 'topic' }, queues: { q: {} } });
    await assert.rejects(port.declare({ bindings: ['e -> missing: #'] }), TopologyError);
    await assert.rejects(port.declare({ bindings: ['missing -> q: #'] }), TopologyError);
  });

  test('verify finds what exists, names what is missing, and makes nothing', async (fx) => {
    const port = await fx.port();
    const whole = { exchanges: { e: 'topic' }, queues: { q: {} }, bindings: ['e -> q: #'] } as const;
    await assert.rejects(port.declare(whole, 'verify'), refusal(`exchange '${fx.name('e')}'`));
    await port.declare({ exchanges: { e: 'topic' } });
    await assert.rejects(port.declare(whole, 'verify'), refusal(`queue '${fx.name('q')}'`));
    // Still missing: looking for it has not made it.
    await assert.rejects(port.declare(whole, 'verify'), refusal(`queue '${fx.name('q')}'`));
    await port.declare(whole);
    await port.declare(whole, 'verify');
  });

  test('none asks for nothing: what is missing shows only in use', async (fx) => {
    const port = await fx.port();
    await port.declare({ exchanges: { e: 'topic' }, queues: { q: {} }, bindings: ['e -> q: #'] }, 'none');
    await assert.rejects(port.consume('q', ack), TopologyError);
  });

  test("somebody else's exchange is only looked for, whatever the mode", async (fx) => {
    const port = await fx.port();
    const foreign = { exchanges: { theirs: { type: 'topic', verifyOnly: true } } } as const;
    await assert.rejects(port.declare(foreign), refusal(`exchange '${fx.name('theirs')}'`));
    await assert.rejects(port.declare(foreign), refusal(`exchange '${fx.name('theirs')}'`));
    await port.declare({ exchanges: { theirs: 'topic' } });
    await port.declare(foreign);
  });

  test('direct exchanges route by the whole key, fanout exchanges to all', async (fx) => {
    const port = await fx.port();
    await port.declare({
      exchanges: { d: 'direct', f: 'fanout' },
      queues: { dots: {}, star: {}, all: {} },
      bindings: ['d -> dots: a.b', 'd -> star: *.b', 'f -> all: ignored'],
    });
    await port.publish('a.b', 'to dots', { exchange: 'd' });
    await port.publish('*.b', 'to star', { exchange: 'd' });
    await port.publish('anything', 'to all', { exchange: 'f' });
    for (const queue of ['dots', 'star', 'all']) {
      const consumer = await port.consume(queue, ack);
      await fx.eventually(() => assert.deepEqual(consumer.bodies, [`to ${queue}`]));
    }
  });

  test('exchanges lead to exchanges, a circle included, and the alternate exchange takes what no binding does', async (fx) => {
    const port = await fx.port();
    await port.declare({
      exchanges: { spare: 'fanout', e: { type: 'topic', alternateExchange: 'spare' }, next: 'topic' },
      queues: { reached: {}, leftovers: {} },
      bindings: ['e => next: a.#', 'next => e: #', 'next -> reached: *.b', 'spare -> leftovers: '],
    });
    await port.publish('a.b', 'through both', { mustRoute: true });
    await port.publish('c.b', 'unbound', { mustRoute: true });
    const reached = await port.consume('reached', ack);
    const leftovers = await port.consume('leftovers', ack);
    await fx.eventually(() => assert.deepEqual(reached.bodies, ['through both']));
    await fx.eventually(() => assert.deepEqual(leftovers.bodies, ['unbound']));
  });

  test("a queue's TTL moves its messages on to the dead-letter exchange in order, and never early", async (fx) => {
    const port = await fx.port();
    await port.declare({
      exchanges: { e: 'topic', dlx: 'topic' },
      queues: {
        after: {},
        waiting: {
          'x-message-ttl': 300,
          'x-dead-letter-exchange': 'dlx',
          'x-dead-letter-strategy': 'at-least-once',
          'x-overflow': 'reject-publish',
        },
      },
      bindings: ['e -> waiting: #', 'dlx -> after: kept.#'],
    });
    const { clock } = fx.harness;
    const arrivedAt: number[] = [];
    const after = await port.consume('after', (delivery) => {
      arrivedAt.push(clock.monotonic());
      delivery.ack();
    });
    const publishedAt = clock.monotonic();
    await port.publishAll('kept.key', ['1', '2', '3']);
    await fx.eventually(() => assert.equal(after.deliveries.length, 3));
    assert.deepEqual(after.bodies, ['1', '2', '3']);
    for (const at of arrivedAt) assert.ok(at - publishedAt >= 300, `arrived after ${at - publishedAt} ms`);
    const { routingKey, exchange, properties } = after.at(0);
    assert.deepEqual([routingKey, exchange], ['kept.key', fx.name('dlx')]);
    assert.equal((properties.headers['x-death'] as { reason?: string }[])[0]?.reason, 'expired');
  });

  test("a message's own expiration ends it, and is not in force any more where it goes then", async (fx) => {
    const port = await fx.port();
    await port.declare({
      exchanges: { e: 'topic', dlx: 'fanout' },
      queues: { after: {}, waiting: { 'x-dead-letter-exchange': 'dlx' } },
      bindings: ['e -> waiting: #', 'dlx -> after: '],
    });
    await port.publish('k', 'short', { properties: { expiration: '100' } });
    await port.publish('k', 'endless');
    const after = await port.consume('after', ack);
    await fx.eventually(() => assert.deepEqual(after.bodies, ['short']));
    assert.equal(after.at(0).properties.expiration, undefined);
    const waiting = await port.consume('waiting', ack);
    await fx.eventually(() => assert.deepEqual(waiting.bodies, ['endless']));
  });

  test('a queue that drops its head when it is full hands what it drops to its dead letters', async (fx) => {
    const port = await fx.port();
    await port.declare({
      exchanges: { e: 'topic', dlx: 'fanout' },
      queues: {
        dropped: {},
        q: { 'x-max-length': 2, 'x-overflow': 'drop-head', 'x-dead-letter-exchange': 'dlx' },
      },
      bindings: ['e -> q: #', 'dlx -> dropped: '],
    });
    await port.publishAll('k', numbers(5));
    const dropped = await port.consume('dropped', ack);
    await fx.eventually(() => assert.deepEqual(dropped.bodies, ['0', '1', '2']));
    const kept = await port.consume('q', ack);
    await fx.eventually(() => assert.deepEqual(kept.bodies, ['3', '4']));
  });
};

function refusal(resource: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof TopologyError, `${error}`);
    assert.equal(error.resource, resource);
    return true;
  };
}
