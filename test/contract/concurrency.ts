import assert from 'node:assert/strict';
import type { Bus } from '../../src/index.js';
import { pause } from '../../src/util/clock.js';
import { deferred } from '../../src/util/deferred.js';
import type { BusFixture } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

/** A handler that takes its time, and knows how many of it run. */
class Busy {
  most = 0;
  readonly handled: string[] = [];
  private running = 0;

  constructor(
    private readonly fx: BusFixture,
    private readonly shared?: Busy,
  ) {}

  readonly handle = async (payload: string): Promise<void> => {
    this.enter();
    this.shared?.enter();
    await pause(this.fx.harness.clock, 20);
    this.handled.push(payload);
    this.leave();
    this.shared?.leave();
  };

  private enter(): void {
    this.running += 1;
    this.most = Math.max(this.most, this.running);
  }

  private leave(): void {
    this.running -= 1;
  }
}

const publishAll = (bus: Bus, key: string, payloads: readonly string[]) =>
  Promise.all(payloads.map((payload) => bus.publish(key, payload)));

export const concurrency: Theme = (test) => {
  test('no more handlers of a queue run at once than its concurrency, and no fewer while there is work', async (fx) => {
    const busy = new Busy(fx);
    // More of them are here than may run.
    const bus = fx.bus('mailer', { concurrency: 3 }).handle('k', busy.handle, { queue: { prefetch: 20 } });
    await bus.start();
    await publishAll(bus, 'k', numbers(40));
    await fx.eventually(() => assert.equal(busy.handled.length, 40));
    assert.equal(busy.most, 3);
    assert.equal(new Set(busy.handled).size, 40);
  });

  test('no message is handed out twice because its consumer starts, or takes more at once', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await bus.start();
    await fx.stop(bus);
    const publisher = await fx.publisher();
    await publishAll(publisher, 'k', numbers(30));
    await fx.bus('mailer').handle('k', seen.handle).start();
    await publishAll(publisher, 'k', numbers(30));
    await fx.eventually(() => assert.equal(seen.calls.length, 60));
    assert.deepEqual(
      seen.calls.filter(({ context }) => context.redelivered).map(({ payload }) => payload),
      [],
    );
  });

  test('a concurrency of one keeps the order of what is published', async (fx) => {
    const busy = new Busy(fx);
    const bus = fx.bus('mailer', { concurrency: 1 }).handle('k', busy.handle);
    await bus.start();
    await publishAll(bus, 'k', numbers(30));
    await fx.eventually(() => assert.equal(busy.handled.length, 30));
    assert.equal(busy.most, 1);
    assert.deepEqual(busy.handled, numbers(30));
  });

  test("a handler's own concurrency lowers it below its queue's, and leaves the rest to the others", async (fx) => {
    const all = new Busy(fx);
    const [narrow, wide] = [new Busy(fx, all), new Busy(fx, all)];
    const bus = fx
      .bus('mailer', { concurrency: 4 })
      .handle('narrow', narrow.handle, { concurrency: 1 })
      .handle('wide', wide.handle, { queue: { prefetch: 20 } });
    await bus.start();
    await Promise.all([publishAll(bus, 'narrow', numbers(15)), publishAll(bus, 'wide', numbers(15))]);
    await fx.eventually(() => assert.equal(narrow.handled.length + wide.handled.length, 30));
    assert.equal(narrow.most, 1);
    assert.ok(all.most <= 4, `${all.most} ran at once`);
    assert.ok(wide.most >= 2, 'the other handler had the free places');
  });

  test('however many messages wait for a handler that is full, those of others pass', async (fx) => {
    const gate = deferred();
    const slow = fx.recorder(() => gate.promise);
    const fast = fx.recorder();
    const bus = fx
      .bus('mailer', { concurrency: 4 })
      .handle('slow', slow.handle, { concurrency: 1 })
      .handle('fast', fast.handle);
    await bus.start();
    await publishAll(bus, 'slow', numbers(20));
    await publishAll(bus, 'fast', numbers(20));
    await fx.eventually(() => assert.deepEqual(fast.payloads, numbers(20)));
    assert.deepEqual(slow.payloads, ['0']);
    gate.resolve();
    await fx.eventually(() => assert.deepEqual(slow.payloads, numbers(20)));
    assert.ok(slow.calls.every(({ context }) => !context.redelivered));
  });

  test('one slow message lets the fast ones behind it pass', async (fx) => {
    const slow = deferred();
    const seen = fx.recorder(({ payload }) => (payload === 'slow' ? slow.promise : undefined));
    const bus = fx.bus('mailer', { concurrency: 2 }).handle('k', seen.handle);
    await bus.start();
    await bus.publish('k', 'slow');
    await publishAll(bus, 'k', numbers(20));
    await fx.eventually(() => assert.equal(seen.calls.length, 21));
    slow.resolve();
  });

  test('each queue has a concurrency of its own', async (fx) => {
    const stuck = deferred();
    const seen = fx.recorder();
    const bus = fx
      .bus('mailer', { concurrency: 1 })
      .handle('stuck', () => stuck.promise, { queue: fx.name('stuck') })
      .handle('free', seen.handle, { queue: fx.name('free') });
    await bus.start();
    await bus.publish('stuck', 1);
    await publishAll(bus, 'free', numbers(5));
    await fx.eventually(() => assert.deepEqual(seen.payloads, numbers(5)));
    stuck.resolve();
  });
};
