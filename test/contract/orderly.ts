import assert from 'node:assert/strict';
import type { Bus, MessageContext } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, watch } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

/** What would be reached at once if the broker charged each time that something goes back. */
const LIMIT = 4;

/** Remembers how often the broker says that it has handed something out before. */
function watchCounts(fx: BusFixture): { most: number } {
  const counts = { most: 0 };
  fx.trace.onDelivery = ({ queue, deliveryCount }) => {
    if (queue !== fx.name('paused')) counts.most = Math.max(counts.most, deliveryCount);
  };
  return counts;
}

/** Nothing is a dead letter, and so many messages are in the queue, once each. */
async function allThere(fx: BusFixture, queue: string, count: number): Promise<void> {
  const back = await fx.taken(fx.name(queue), count);
  assert.equal(new Set(back.map(({ body }) => body.toString())).size, count);
  assert.deepEqual(await fx.foreign.take(`${fx.name(queue)}.dead`), []);
}

const untilStopped = ({ signal }: MessageContext) =>
  new Promise<void>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });

export const orderly: Theme = (test) => {
  const queueOf = (fx: BusFixture, prefetch: number) => ({
    name: fx.name('q'),
    concurrency: 2,
    deliveryLimit: LIMIT,
    prefetch,
  });

  test('however often a queue is paused and resumed, what waits there is not charged [row 49]', async (fx) => {
    const counts = watchCounts(fx);
    const gate = deferred();
    const seen = fx.recorder(({ payload }) => (payload === '0' ? gate.promise : undefined));
    const bus = fx
      .bus('mailer')
      .handle('k', seen.handle, { concurrency: 1, timeout: '10m', queue: queueOf(fx, 4) });
    await bus.start();
    for (const number of numbers(12)) await bus.publish('k', number);
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    const control = await fx.control({ wait: '20ms' });
    for (const _round of numbers(12)) {
      await fx.outcome(control.pause(fx.name('q')));
      await fx.outcome(control.resume(fx.name('q')));
    }
    assert.equal(seen.calls.length, 1);
    gate.resolve();
    await fx.eventually(() => assert.equal(new Set(seen.payloads).size, 12));
    assert.equal(seen.calls.length, 12);
    assert.ok(counts.most < LIMIT, `a message came with a count of ${counts.most}`);
  });

  test('however often a worker is started and stopped before a backlog, nothing of it is charged [row 49]', async (fx) => {
    const counts = watchCounts(fx);
    const publisher = await fx.publisher();
    const worker = async (): Promise<Bus> => {
      const seen = fx.recorder(({ payload, context }) =>
        payload === 'warm' ? undefined : untilStopped(context),
      );
      const bus = fx.bus('mailer').handle('k', seen.handle, { queue: queueOf(fx, 6) });
      const succeeded = watch(bus, 'handler.succeeded');
      await bus.start();
      if (isFirst) await publisher.publish('k', 'warm');
      if (isFirst) await fx.eventually(() => assert.equal(succeeded.length, 1));
      if (isFirst) for (const number of numbers(12)) await publisher.publish('k', number);
      isFirst = false;
      await fx.eventually(() =>
        assert.equal(seen.calls.filter(({ payload }) => payload !== 'warm').length, 2),
      );
      return bus;
    };
    let isFirst = true;
    for (const _round of numbers(8)) {
      const bus = await worker();
      await fx.outcome(bus.stop({ cancel: true }));
    }
    await allThere(fx, 'q', 12);
    assert.ok(counts.most < LIMIT, `a message came with a count of ${counts.most}`);
  });

  test('a message whose handler was told to stop comes again as what was handed out before', async (fx) => {
    const first = fx.recorder(({ context }) => untilStopped(context));
    const bus = fx.bus('mailer').handle('k', first.handle, { queue: queueOf(fx, 4) });
    await bus.start();
    await bus.publish('k', 'a');
    await fx.eventually(() => assert.equal(first.calls.length, 1));
    await fx.outcome(bus.stop({ cancel: true }));
    const second = fx.recorder();
    await fx
      .bus('mailer')
      .handle('k', second.handle, { queue: queueOf(fx, 4) })
      .start();
    await fx.eventually(() => assert.equal(second.calls.length, 1));
    const [again] = second.calls;
    assert.deepEqual([again?.attempt, again?.context.redelivered], [1, true]);
  });

  test('however often a circuit opens, what came to be tried is not charged, lanes or not [row 49]', async (fx) => {
    const counts = watchCounts(fx);
    let isAway = true;
    const seen = fx.recorder(() => {
      if (isAway) throw new Error('the dependency is away');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, {
      queue: { ...queueOf(fx, 6), lanes: ['high', 'default'] },
      retry: { tries: 1_000, backoff: '100ms' },
      circuitBreaker: { attempts: 2, pause: '100ms' },
    });
    const opened = watch(bus, 'circuit.opened');
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    for (const number of numbers(6)) {
      await bus.publish('k', `default ${number}`);
      await bus.publish('k', `high ${number}`, { lane: 'high' });
    }
    await fx.eventually(() => assert.equal(opened.length, 7));
    isAway = false;
    await fx.eventually(() => assert.equal(succeeded.length, 12));
    assert.deepEqual(await fx.foreign.take(`${fx.name('q')}.dead`), []);
    assert.ok(counts.most < LIMIT, `a message came with a count of ${counts.most}`);
  });
};
