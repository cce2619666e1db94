import assert from 'node:assert/strict';
import type { QueueOptions } from '../../src/consume/handlers/definition.js';
import { type Bus, TopologyError } from '../../src/index.js';
import type { BusFixture } from '../support/bus-fixture.js';
import { ack } from '../support/port.js';
import type { Theme } from './theme.js';

/** The port's half: what a queue does by its arguments. */
export const priorityQueues: Theme = (test) => {
  const classic = { 'x-queue-type': 'classic', 'x-max-priority': 5 } as const;

  test('a classic queue delivers the highest priority first, and each in order of arrival', async (fx) => {
    const port = await fx.port();
    await port.declare({ exchanges: { e: 'topic' }, queues: { q: classic }, bindings: ['e -> q: #'] });
    for (const [body, priority] of [
      ['none 1', undefined],
      ['3 a', 3],
      ['0', 0],
      ['5', 5],
      ['3 b', 3],
      ['beyond counts as 5', 9],
      ['none 2', undefined],
    ] as const)
      await port.publish('k', body, { properties: priority === undefined ? {} : { priority } });
    const consumer = await port.consume('q', ack);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 7));
    assert.deepEqual(consumer.bodies, ['5', 'beyond counts as 5', '3 a', '3 b', 'none 1', '0', 'none 2']);
  });

  test('what is requeued goes back before the others of its priority, and behind the higher', async (fx) => {
    const port = await fx.port();
    await port.declare({ exchanges: { e: 'topic' }, queues: { q: classic }, bindings: ['e -> q: #'] });
    for (const body of ['low 1', 'low 2', 'low 3'])
      await port.publish('k', body, { properties: { priority: 1 } });
    const first = await port.consume('q', () => {}, 1);
    await fx.eventually(() => assert.deepEqual(first.bodies, ['low 1']));
    await port.publish('k', 'high', { properties: { priority: 2 } });
    await first.consumer.cancel();
    first.at(0).requeue();
    await first.consumer.close();
    const second = await port.consume('q', ack);
    await fx.eventually(() => assert.deepEqual(second.bodies, ['high', 'low 1', 'low 2', 'low 3']));
  });

  test('a quorum queue refuses x-max-priority, and a classic one another than it has', async (fx) => {
    const port = await fx.port();
    const refused = (short: string) => (error: unknown) => {
      assert.ok(error instanceof TopologyError);
      assert.equal(error.resource, `queue '${fx.name(short)}'`);
      assert.match(error.message, /PRECONDITION_FAILED - .*'x-max-priority'/);
      return true;
    };
    await assert.rejects(port.declare({ queues: { q: { 'x-max-priority': 5 } } }), refused('q'));
    await port.declare({ queues: { c: classic } });
    await assert.rejects(port.declare({ queues: { c: { ...classic, 'x-max-priority': 6 } } }), refused('c'));
  });
};

/** Handles, one at a time, what has been published with these priorities while nobody ran. */
async function handledInOrder(
  fx: BusFixture,
  options: QueueOptions,
  priorities: readonly (number | undefined)[],
): Promise<unknown[]> {
  const queue = { name: fx.name('q'), ...options };
  const before: Bus = fx.bus('mailer').handle('k', () => {}, { queue });
  await before.start();
  await fx.stop(before);
  const publisher = await fx.publisher();
  for (const priority of priorities)
    await publisher.send('k', priority ?? 'none', priority === undefined ? {} : { priority });
  const seen = fx.recorder();
  await fx.bus('mailer', { concurrency: 1 }).handle('k', seen.handle, { queue }).start();
  await fx.eventually(() => assert.equal(seen.calls.length, priorities.length));
  return seen.payloads;
}

export const priorities: Theme = (test) => {
  test('a classic queue with maxPriority handles the highest first; none is the lowest', async (fx) => {
    const options: QueueOptions = { type: 'classic', maxPriority: 5 };
    const handled = await handledInOrder(fx, options, [1, undefined, 5, 3, 0, 4]);
    assert.deepEqual(handled, [5, 4, 3, 1, 'none', 0]);
  });

  test('a queue without maxPriority keeps the order of arrival: classic', async (fx) => {
    assert.deepEqual(await handledInOrder(fx, { type: 'classic' }, [1, 5, undefined, 3]), [1, 5, 'none', 3]);
  });

  test('a quorum queue with maxPriority handles the highest first, or its broker can not and start() says so', async (fx) => {
    const options: QueueOptions = { maxPriority: 10 };
    if (fx.harness.quorumPriorities) {
      // None is 4 here.
      const handled = await handledInOrder(fx, options, [1, undefined, 10, 3, 0, 5]);
      assert.deepEqual(handled, [10, 5, 'none', 3, 1, 0]);
      return;
    }
    for (const topology of ['declare', 'verify', 'none'] as const) {
      const bus = fx
        .bus('mailer', { topology })
        .handle('k', () => {}, { queue: { name: fx.name('q'), ...options } });
      await assert.rejects(bus.start(), (error) => {
        assert.ok(error instanceof TopologyError);
        assert.equal(error.resource, `queue '${fx.name('q')}'`);
        assert.match(error.message, /needs message priorities up to 10, but RabbitMQ \d+\.\d+\S* /);
        assert.match(error.help, /lanes.*type: 'classic'.*4\.3/);
        return true;
      });
    }
  });

  test('another maxPriority for a classic queue that exists is a TopologyError, and all else can change', async (fx) => {
    const start = (queue: QueueOptions) =>
      fx
        .bus('mailer')
        .handle('k', () => {}, { queue: { name: fx.name('q'), type: 'classic', ...queue } })
        .start();
    await start({ maxPriority: 5 });
    await start({ maxPriority: 5, concurrency: 2, prefetch: 9 });
    for (const other of [{ maxPriority: 6 }, {}])
      await assert.rejects(start(other), (error) => {
        assert.ok(error instanceof TopologyError);
        assert.match(error.message, /x-max-priority/);
        return true;
      });
  });

  test('a message keeps its priority on its way to the dead letters, through its retries', async (fx) => {
    const seen = fx.recorder(() => {
      throw new Error('never');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, {
      queue: { name: fx.name('q'), type: 'classic', maxPriority: 9 },
      retry: { tries: 2, backoff: '100ms' },
    });
    await bus.start();
    await bus.send('k', 1, { priority: 7 });
    assert.equal((await fx.deadLetter(fx.name('q'))).properties.priority, 7);
    assert.deepEqual(seen.attempts, [1, 2]);
  });

  test('within each lane the highest priority goes first', async (fx) => {
    const queue: QueueOptions = {
      name: fx.name('q'),
      type: 'classic',
      maxPriority: 3,
      lanes: ['high', 'default'],
    };
    const before = fx.bus('mailer').handle('k', () => {}, { queue });
    await before.start();
    await fx.stop(before);
    const publisher = await fx.publisher();
    for (const priority of [1, 3, 2])
      for (const lane of ['high', 'default'])
        await publisher.send('k', `${lane} ${priority}`, { lane, priority });
    const seen = fx.recorder();
    await fx.bus('mailer', { concurrency: 1 }).handle('k', seen.handle, { queue }).start();
    await fx.eventually(() => assert.equal(seen.calls.length, 6));
    for (const lane of ['high', 'default'])
      assert.deepEqual(
        seen.payloads.filter((payload) => String(payload).startsWith(lane)),
        [`${lane} 3`, `${lane} 2`, `${lane} 1`],
      );
  });
};
