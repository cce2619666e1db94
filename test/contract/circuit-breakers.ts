import assert from 'node:assert/strict';
import type { BusEvents } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, watch } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const circuitBreakers: Theme = (test) => {
  /** A handler of a dependency that is away until the test says otherwise. */
  function service(fx: BusFixture, lanes?: readonly string[]) {
    const dependency = { isAway: true, asked: 0 };
    const seen = fx.recorder(() => {
      dependency.asked += 1;
      if (dependency.isAway) throw new Error('the dependency is away');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, {
      queue: { name: fx.name('mails'), concurrency: 5, ...(lanes && { lanes }) },
      retry: { tries: 1_000, backoff: '100ms' },
      circuitBreaker: { attempts: 4, pause: '400ms' },
    });
    return {
      bus,
      dependency,
      opened: watch(bus, 'circuit.opened'),
      closed: watch(bus, 'circuit.closed'),
    };
  }

  test('a queue whose handler fails too often is paused; one message at a time is tried, and when it succeeds all go on', async (fx) => {
    const { bus, dependency, opened, closed } = service(fx);
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    for (const number of numbers(20)) await bus.publish('k', number);
    await fx.eventually(() => assert.equal(opened.length, 1));
    const before = dependency.asked;
    await fx.eventually(() => assert.equal(opened.length, 3));
    assert.equal(dependency.asked - before, 2, 'one for each time that it opened again');
    assert.equal(bus.health().consumers[0]?.state, 'paused');
    assert.equal(closed.length, 0);
    dependency.isAway = false;
    await fx.eventually(() => assert.equal(succeeded.length, 20));
    assert.equal(closed.length, 1);
    assert.equal(bus.health().consumers[0]?.state, 'consuming');
    await bus.publish('k', 'after');
    await fx.eventually(() => assert.equal(succeeded.length, 21));
  });

  test('with a backoff of 0, no attempt begins while the circuit is open but the one that is tried', async (fx) => {
    let asked = 0;
    const bus = fx.bus('mailer').handle(
      'k',
      () => {
        asked += 1;
        throw new Error('the dependency is away');
      },
      { retry: { tries: 1_000, backoff: 0 }, circuitBreaker: { attempts: 4, pause: '400ms' } },
    );
    const opened = watch(bus, 'circuit.opened');
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(opened.length, 3));
    assert.equal(asked, 4 + 2, 'until it opened, and one for each time that it was tried');
  });

  test('a circuit that is open keeps nothing from stopping, and its messages stay', async (fx) => {
    const { bus, opened } = service(fx);
    await bus.start();
    for (const number of numbers(20)) await bus.publish('k', number);
    await fx.eventually(() => assert.equal(opened.length, 1));
    await fx.outcome(bus.stop());
    const second = fx.recorder();
    await fx
      .bus('mailer')
      .handle('k', second.handle, { queue: { name: fx.name('mails') } })
      .start();
    await fx.eventually(() => assert.equal(new Set(second.payloads).size, 20));
    assert.equal(second.calls.length, 20);
  });

  test('what one process does not do while its circuit is open, another does', async (fx) => {
    const { bus, opened } = service(fx);
    await bus.start();
    const publisher = await fx.publisher();
    await Promise.all(numbers(20).map((number) => publisher.publish('k', number)));
    await fx.eventually(() => assert.equal(opened.length, 1));
    const healthy = fx.recorder();
    await fx
      .bus('mailer')
      .handle('k', healthy.handle, { queue: { name: fx.name('mails'), concurrency: 5 } })
      .start();
    await fx.eventually(() => assert.ok(new Set(healthy.payloads).size >= 19), { timeout: 5_000 });
  });

  test('a circuit is tried though a message that runs long, and more of its kind, are here', async (fx) => {
    const gate = deferred();
    const { bus, dependency, opened, closed } = service(fx);
    const slow = fx.recorder(() => gate.promise);
    bus.handle('slow', slow.handle, { queue: { name: fx.name('mails') }, concurrency: 1 });
    await bus.start();
    for (const number of numbers(4)) await bus.publish('k', number);
    await fx.eventually(() => assert.equal(opened.length, 1));
    for (const number of numbers(8)) await bus.publish('slow', number);
    await fx.eventually(() => assert.equal(slow.calls.length, 1));
    dependency.isAway = false;
    await fx.eventually(() => assert.equal(closed.length, 1));
    assert.equal(slow.calls.length, 1);
    gate.resolve();
    await fx.eventually(() => assert.equal(slow.calls.length, 8));
  });

  test('a queue with lanes is paused as a whole, and goes on as a whole', async (fx) => {
    const { bus, dependency, opened, closed } = service(fx, ['high', 'default']);
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    for (const number of numbers(10)) {
      await bus.publish('k', `default ${number}`);
      await bus.publish('k', `high ${number}`, { lane: 'high' });
    }
    await fx.eventually(() => assert.equal(opened.length, 2));
    dependency.isAway = false;
    await fx.eventually(() => assert.equal(succeeded.length, 20));
    await fx.eventually(() => assert.equal(closed.length, 1));
    for (const { event } of [...opened, ...closed])
      assert.equal((event as BusEvents['circuit.closed']).queue, fx.name('mails'), 'without its lane');
  });
};
