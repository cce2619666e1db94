import assert from 'node:assert/strict';
import {
  AlreadyStartedError,
  NotStartedError,
  OptionsError,
  StoppedError,
  TopologyError,
} from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { watch } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const lifecycle: Theme = (test) => {
  test('starting twice is starting once', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await Promise.all([bus.start(), bus.start()]);
    await bus.start();
    assert.deepEqual([fx.trace.sessions, fx.trace.consumersOf(fx.name('mailer'))], [1, 1]);
    await bus.publish('k', 1);
    await fx.eventually(() => assert.deepEqual(seen.payloads, [1]));
  });

  test('stopping twice is stopping once; a start that has not ended is given up, and leaves nothing open', async (fx) => {
    const bus = fx.bus('mailer').handle('k', () => {});
    const starting = bus.start();
    starting.catch(() => {});
    await Promise.all([bus.stop(), bus.stop()]);
    await assert.rejects(starting, StoppedError);
    await bus.stop();
    assert.deepEqual([fx.trace.sessions, fx.trace.consumers], [0, []]);
  });

  test('what a start that is given up has fetched goes back once, and is charged nothing', async (fx) => {
    const gate = deferred();
    const held = fx.recorder(() => gate.promise);
    const queue = { name: fx.name('early'), concurrency: 1, prefetch: 5 };
    const bus = () => fx.bus('mailer').handle('late', () => {}, { queue: { name: fx.name('late') } });
    fx.trace.beforeConsuming = (name) => (name === fx.name('late') ? new Promise(() => {}) : undefined);
    const first = bus().handle('early', held.handle, { queue });
    const starting = first.start();
    starting.catch(() => {});
    await fx.eventually(() => assert.equal(fx.trace.consumersOf(queue.name), 1));
    const publisher = await fx.publisher();
    for (const number of numbers(5)) await publisher.publish('early', number);
    // Its first one is trusted after a second.
    await fx.eventually(() => assert.equal(fx.trace.deliveriesOf(queue.name), 5), { timeout: 10_000 });
    await first.stop();
    await assert.rejects(starting, StoppedError);
    gate.resolve();
    fx.trace.beforeConsuming = () => undefined;
    const seen = fx.recorder();
    const counts: number[] = [];
    fx.trace.onDelivery = ({ deliveryCount }) => counts.push(deliveryCount);
    await bus().handle('early', seen.handle, { queue }).start();
    await fx.eventually(() => assert.equal(new Set(seen.payloads).size, 5));
    await publisher.publish('early', 'last');
    await fx.eventually(() => assert.equal(seen.payloads.at(-1), 'last'));
    assert.equal(seen.payloads.length, 6);
    assert.equal(counts.filter((count) => count > 0).length <= 1, true, 'only what ran');
  });

  test('a start that stop() gives up cannot be tried again, not even before that has ended', async (fx) => {
    const bus = fx.bus('mailer').handle('k', () => {});
    const again = bus.start().catch(() => bus.start());
    again.catch(() => {});
    await bus.stop();
    await assert.rejects(again, StoppedError);
    assert.equal(bus.health().state, 'stopped');
    assert.deepEqual([fx.trace.sessions, fx.trace.consumers], [0, []]);
  });

  test('a bus that was stopped does not start again, not even if it had never been started', async (fx) => {
    for (const start of [true, false]) {
      const bus = fx.bus('mailer').handle('k', () => {});
      if (start) await bus.start();
      await bus.stop();
      await assert.rejects(bus.start(), StoppedError);
      await bus.stop();
    }
    assert.equal(fx.trace.sessions, 0);
  });

  test('a publish with options that cannot work is refused, and each of them named', async (fx) => {
    const bus = await fx.publisher();
    const wrong = { exchange: 'a/b', priority: 256, messageID: 'x' };
    await assert.rejects(bus.publish('k', 1, wrong as object), (error) => {
      assert.ok(error instanceof OptionsError);
      assert.deepEqual(
        error.problems.map((problem) => /exchange|priority|messageID/.exec(problem)?.[0]).toSorted(),
        ['exchange', 'messageID', 'priority'],
      );
      return true;
    });
    for (const exchange of ['', 'x.#', 'x'.repeat(128)])
      await assert.rejects(bus.publish('k', 1, { exchange }), OptionsError, exchange);
  });

  test('publishing is refused before the start and after the stop, and a handler after the start', async (fx) => {
    const bus = fx.bus('mailer').handle('k', () => {});
    await assert.rejects(bus.publish('k', 1), NotStartedError);
    await assert.rejects(bus.send('k', 1), NotStartedError);
    await bus.start();
    assert.throws(() => bus.handle('other', () => {}), AlreadyStartedError);
    await bus.send('k', 1);
    await fx.stop(bus);
    await assert.rejects(bus.publish('k', 1), StoppedError);
    await assert.rejects(bus.send('k', 1), StoppedError);
  });

  test('a bus without handlers publishes, and declares no queue', async (fx) => {
    const bus = await fx.publisher();
    await bus.publish('k', 1);
    assert.deepEqual([...fx.trace.queues], []);
    assert.deepEqual([...fx.trace.exchanges], [fx.events]);
  });

  test('buses that share a transport are independent: one stops, the others go on', async (fx) => {
    const transport = fx.transport();
    const [left, right] = [fx.recorder(), fx.recorder()];
    const first = fx.bus('first', { transport }).handle('k', left.handle);
    const second = fx.bus('second', { transport }).handle('k', right.handle);
    await Promise.all([first.start(), second.start()]);
    await first.publish('k', 1);
    await fx.eventually(() => assert.deepEqual([left.payloads, right.payloads], [[1], [1]]));
    await fx.stop(first);
    await second.publish('k', 2);
    await fx.eventually(() => assert.deepEqual(right.payloads, [1, 2]));
    assert.deepEqual(left.payloads, [1]);
    const third = fx.bus('first', { transport }).handle('k', left.handle);
    await third.start();
    await fx.eventually(() => assert.deepEqual(left.payloads, [1, 2]));
  });

  test('a queue that exists with other arguments fails the start and names it; who uses it is not disturbed', async (fx) => {
    const seen = fx.recorder();
    const queue = fx.name('shared');
    const transport = fx.transport();
    const bus = fx
      .bus('mailer', { transport })
      .handle('k', seen.handle, { queue: { name: queue, deliveryLimit: 5 } });
    await bus.start();
    for (const where of [transport, fx.transport()]) {
      const other = fx.bus('other', { transport: where });
      other
        .handle('k', () => {}, { queue: { name: queue, deliveryLimit: 6 } })
        .handle('k', () => {}, { queue: fx.name('b') });
      const failed = watch(other, 'topology.failed');
      for (const time of [1, 2]) {
        await assert.rejects(other.start(), (error) => {
          assert.ok(error instanceof TopologyError);
          assert.equal(error.resource, `queue '${queue}'`);
          assert.match(
            `${error.message} ${error.help}`,
            /x-delivery-limit.*deliveryLimit: 5 on it.*(delete|another name)/s,
          );
          return true;
        });
        assert.equal(failed.length, time);
      }
      await assert.rejects(other.publish('k', 1), NotStartedError);
    }
    assert.deepEqual([fx.trace.sessions, fx.trace.consumers], [1, [queue]]);
    await bus.publish('k', 'undisturbed');
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['undisturbed']));
  });

  test('with verify a bus starts once somebody has declared its topology, and not before', async (fx) => {
    const seen = fx.recorder();
    const verifying = fx.bus('mailer', { topology: 'verify' }).handle('k', seen.handle);
    await assert.rejects(verifying.start(), (error) => {
      assert.ok(error instanceof TopologyError);
      assert.match(error.resource, /^(exchange|queue) '/);
      return true;
    });
    const declaring = fx.bus('mailer').handle('k', () => {});
    await declaring.start();
    await fx.stop(declaring);
    await verifying.start();
    await verifying.publish('k', 'verified');
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['verified']));
  });

  test('with none a bus asks for nothing and works with what is there', async (fx) => {
    const declaring = fx.bus('mailer').handle('k', () => {});
    await declaring.start();
    await fx.stop(declaring);
    const seen = fx.recorder(({ attempt }) => {
      if (attempt === 1) throw new Error('once');
    });
    const bus = fx
      .bus('mailer', { topology: 'none' })
      .handle('k', seen.handle, { retry: { backoff: '100ms' } });
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.deepEqual(seen.attempts, [1, 2]));
  });
};
