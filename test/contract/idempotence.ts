import assert from 'node:assert/strict';
import { type BusEvents, type Stores, UnrecoverableError } from '../../src/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { pause } from '../../src/util/clock.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, watch } from '../support/bus-fixture.js';
import { eventually } from '../support/eventually.js';
import type { Theme } from './theme.js';

export const idempotence: Theme = (test) => {
  test('a message that was handled is not handled again, whoever is handed its copy', async (fx) => {
    const seen = fx.recorder();
    const stores = memoryStores(fx.harness.clock);
    const buses = [1, 2].map(() =>
      workerOf(fx, stores).handle('k', seen.handle, { idempotent: {}, name: 'Work' }),
    );
    const skipped = buses.map((bus) => watch(bus, 'message.skipped'));
    for (const bus of buses) await bus.start();
    const [bus] = buses;
    for (let copy = 0; copy < 6; copy += 1) {
      await bus?.publish('k', { copy }, { messageId: 'the same' });
      await fx.eventually(() => assert.equal(seen.calls.length + skipped.flat().length, copy + 1));
    }
    await bus?.publish('k', { copy: 'another' }, { messageId: 'another' });
    await fx.eventually(() => assert.deepEqual(seen.payloads, [{ copy: 0 }, { copy: 'another' }]));
    assert.equal(skipped.flat().length, 5);
    assert.equal(await waiting(fx), 0);
  });

  test('of copies that come at the same time one is handled, and the others come back when that is clear', async (fx) => {
    const gate = deferred();
    const seen = fx.recorder(({ payload }) => payload !== 'first of all' && gate.promise);
    const bus = fx
      .bus('mailer', { timeoutGrace: '1s' })
      .handle('k', seen.handle, { idempotent: {}, name: 'Work', timeout: '2s' });
    const released = watch(bus, 'message.released');
    const skipped = watch(bus, 'message.skipped');
    await bus.start();
    await bus.publish('k', 'first of all');
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    for (let copy = 0; copy < 3; copy += 1) await bus.publish('k', copy, { messageId: 'the same' });
    // In no time: a clock that is moved would end the attempt.
    await eventually(() => assert.ok(released.length >= 2));
    gate.resolve();
    await fx.eventually(() => assert.equal(skipped.length, 2), { timeout: 30_000 });
    assert.deepEqual(seen.attempts, [1, 1]);
  });

  test('a copy whose key another attempt has asks again after pauses that grow, and so soon after that has ended', async (fx) => {
    const heldMs = 1_200;
    const seen = fx.recorder(async ({ payload }) => {
      if (payload === 'warm up') return;
      if (seen.calls.length > 2) return;
      await pause(fx.harness.clock, heldMs);
      throw new UnrecoverableError('it gives its key back');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { idempotent: {}, name: 'Work', timeout: '20m' });
    const released = watch(bus, 'message.released');
    await bus.start();
    await bus.publish('k', 'warm up');
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    for (let copy = 0; copy < 2; copy += 1) await bus.publish('k', copy, { messageId: 'the same' });
    await fx.eventually(() => assert.equal(seen.calls.length, 3), { timeout: 10_000 });
    const waitedMs = seen.at(2).at - seen.at(1).at;
    assert.ok(waitedMs >= heldMs && waitedMs < heldMs + 4_000, `it came after ${waitedMs} ms`);
    const delays = released.map(({ event }) => (event as BusEvents['message.released']).delayMs);
    assert.deepEqual(delays, [100, 200, 500, 1_000].slice(0, delays.length));
    assert.ok(delays.length >= 3);
  });

  test('what failed is handled again, and what was given up can be replayed', async (fx) => {
    let isBroken = true;
    const seen = fx.recorder(() => {
      if (isBroken) throw new Error('not yet');
    });
    const bus = workerOf(fx, undefined, 'q').handle('k', seen.handle, {
      ...{ idempotent: {}, name: 'Work', queue: fx.name('q') },
      retry: { tries: 2, backoff: '100ms' },
    });
    await bus.start();
    await bus.publish('k', 'once', { messageId: 'the same' });
    const failures = await fx.failures('q');
    await fx.eventually(async () => assert.equal((await failures.count())[0]?.count, 1));
    assert.deepEqual(seen.attempts, [1, 2]);
    isBroken = false;
    await fx.outcome(failures.retry({}));
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
    await bus.publish('k', 'once', { messageId: 'the same' });
    await bus.publish('k', 'end', { messageId: 'end' });
    await fx.eventually(() => assert.equal(seen.calls.length, 4));
    assert.equal(seen.at(3).payload, 'end');
  });

  test('what makes two messages the same may be in the payload, and each handler knows its own', async (fx) => {
    const first = fx.recorder();
    const second = fx.recorder();
    const by = ({ order }: { order: string }) => order.toUpperCase();
    const bus = workerOf(fx)
      .handle('k', first.handle, { name: 'First', queue: fx.name('first'), idempotent: { by } })
      .handle('k', second.handle, {
        name: 'Second',
        queue: fx.name('second'),
        idempotent: { by },
        retry: { tries: 1 },
      });
    const skipped = watch(bus, 'message.skipped');
    await bus.start();
    for (const order of ['a', 'A', 'b']) {
      await bus.publish('k', { order });
      await fx.eventually(() =>
        assert.equal(
          first.calls.length + second.calls.length + skipped.length,
          2 * [...'aAb'].indexOf(order) + 2,
        ),
      );
    }
    for (const { payloads } of [first, second]) assert.deepEqual(payloads, [{ order: 'a' }, { order: 'b' }]);
    // What the option throws is a failed attempt.
    await bus.publish('k', {});
    assert.equal((await fx.deadLetter(fx.name('second'))).body.toString(), '{}');
  });

  test('handlers of one name in two queues each handle their own copy', async (fx) => {
    const seen: string[] = [];
    // A function that is made twice has one name.
    const recorder = (whose: string) =>
      async function record() {
        seen.push(whose);
      };
    const bus = workerOf(fx);
    for (const whose of ['first', 'second'])
      bus.handle('k', recorder(whose), { queue: fx.name(whose), idempotent: {} });
    const skipped = watch(bus, 'message.skipped');
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(seen.length + skipped.length, 2));
    assert.deepEqual(seen.toSorted(), ['first', 'second']);
  });

  test('a key that is missing fails the attempt: it is not that of all messages without one', async (fx) => {
    const seen = fx.recorder();
    const by = ({ order }: { order: number }) => order;
    const bus = workerOf(fx, undefined, 'q').handle('k', seen.handle, {
      ...{ name: 'Work', queue: fx.name('q'), idempotent: { by } },
      retry: { tries: 1 },
    });
    const failed = watch(bus, 'message.skipped', 'message.deadLettered');
    await bus.start();
    await bus.publish('k', { order: 0 });
    for (const payload of [{ oder: 1 }, { oder: 2 }, { order: null }, { order: '' }])
      await bus.publish('k', payload);
    await fx.eventually(() => assert.equal(seen.calls.length + failed.length, 5));
    assert.deepEqual(seen.payloads, [{ order: 0 }]);
    for (const { name, event } of failed) {
      assert.equal(name, 'message.deadLettered');
      const { reason, error } = event as BusEvents['message.deadLettered'];
      assert.equal(reason, 'exhausted');
      assert.match(String(error), /expected idempotent\.by of 'Work' to return a non-empty string/);
    }
  });

  test('a message that nothing makes known is handled, and one whose store is away comes back', async (fx) => {
    const seen = fx.recorder();
    const stores = memoryStores(fx.harness.clock);
    let isAway = true;
    const idempotency = {
      claim: (key: string, owner: string, forMs: number) =>
        isAway ? Promise.reject(new Error('away')) : stores.idempotency.claim(key, owner, forMs),
      finish: stores.idempotency.finish.bind(stores.idempotency),
      release: stores.idempotency.release.bind(stores.idempotency),
    };
    const bus = workerOf(fx, { ...stores, idempotency }).handle('k', seen.handle, {
      idempotent: {},
      name: 'Work',
      retry: { tries: 1 },
    });
    const released = watch(bus, 'message.released');
    await bus.start();
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: '"without an id"' });
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['without an id']));
    await bus.publish('k', 'later');
    await fx.eventually(() => assert.equal(released.length, 1));
    isAway = false;
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['without an id', 'later']), {
      timeout: 20_000,
    });
    assert.deepEqual(seen.attempts, [1, 1]);
  });
};

const workerOf = (fx: BusFixture, stores?: Stores, service = 'mailer') =>
  fx.bus(service, stores ? { stores } : {});

async function waiting(fx: BusFixture): Promise<number | undefined> {
  const port = await fx.port();
  return (await port.session.inspect(fx.name('mailer')))?.ready;
}
