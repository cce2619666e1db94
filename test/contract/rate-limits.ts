import assert from 'node:assert/strict';
import type { BusEvents } from '../../src/index.js';
import { watch } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const rateLimits: Theme = (test) => {
  test('a handler begins as often as its limit allows in any time; what is above comes back, and no try is used', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { concurrency: 10 }).handle('k', seen.handle, {
      rateLimit: { allow: 3, every: '1s' },
      retry: { tries: 1 },
    });
    const released = watch(bus, 'message.released');
    const given = watch(bus, 'message.deadLettered');
    await bus.start();
    for (const number of numbers(8)) await bus.publish('k', number);
    await fx.eventually(() => assert.equal(seen.calls.length, 8));
    const times = seen.calls.map(({ at }) => at);
    // By the handlers' clock: an answer of the store may take some milliseconds more or less.
    for (const [place, at] of times.slice(3).entries())
      assert.ok(at - (times[place] ?? 0) > 950, `four in ${at - (times[place] ?? 0)} ms`);
    assert.deepEqual(new Set(seen.attempts), new Set([1]));
    assert.ok(released.length >= 5);
    assert.equal(given.length, 0);
  });

  test('what waits for a limit before its first attempt does not use up the time of its retries', async (fx) => {
    const seen = fx.recorder(({ payload, attempt }) => {
      if (payload === 'second' && attempt === 1) throw new Error('again');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, {
      rateLimit: { allow: 1, every: '1s' },
      retry: { tries: 5, backoff: '100ms', retryFor: '800ms' },
    });
    await bus.start();
    await bus.publish('k', 'first');
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    await bus.publish('k', 'second');
    await fx.eventually(() => assert.deepEqual(seen.attempts, [1, 1, 2]));
  });

  test('a limit may be one for each key, and a key that cannot be told is a failed attempt', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle, {
      rateLimit: { allow: 1, every: '30s', by: ({ host }: { host: string }) => host.toLowerCase() },
      retry: { tries: 1 },
    });
    const released = watch(bus, 'message.released');
    await bus.start();
    for (const host of ['a', 'b', 'B']) await bus.publish('k', { host });
    await bus.publish('k', { host: '' });
    await fx.eventually(() => assert.equal(released.length, 1));
    await fx.eventually(() =>
      assert.deepEqual(seen.payloads.map((each) => (each as { host: string }).host).toSorted(), ['a', 'b']),
    );
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.equal(letter.body.toString(), '{"host":""}');
    const [{ event } = assert.fail('none was released')] = released;
    const { delayMs } = event as BusEvents['message.released'];
    assert.ok(delayMs > 25_000 && delayMs <= 30_000, `${delayMs} ms`);
  });

  test('copies that are skipped use up no permit, and a message that waits for one keeps no copy of it waiting', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle, {
      idempotent: {},
      rateLimit: { allow: 2, every: '4s' },
    });
    const skipped = watch(bus, 'message.skipped');
    const released = watch(bus, 'message.released');
    await bus.start();
    await bus.publish('k', 'first', { messageId: 'first' });
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    for (let copy = 0; copy < 5; copy += 1) await bus.publish('k', 'copy', { messageId: 'first' });
    await fx.eventually(() => assert.equal(skipped.length, 5));
    await bus.publish('k', 'second', { messageId: 'second' });
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['first', 'second']), { timeout: 2_000 });
    assert.equal(released.length, 0);
    // None is left: both wait for a permit, and none for the other.
    for (let copy = 0; copy < 2; copy += 1) await bus.publish('k', 'third', { messageId: 'third' });
    await fx.eventually(() => assert.equal(released.length, 2));
    for (const { event } of released) {
      const { delayMs } = event as BusEvents['message.released'];
      assert.ok(delayMs > 2_000, `it comes back in ${delayMs} ms, as if its key were taken`);
    }
    await fx.eventually(() => assert.equal(skipped.length, 6), { timeout: 60_000 });
    assert.deepEqual(seen.payloads, ['first', 'second', 'third']);
  });

  test('handlers of one name in two queues each have a limit of their own', async (fx) => {
    const bus = fx.bus('mailer');
    const handle = () => function work() {};
    for (const queue of ['first', 'second'])
      bus.handle('k', handle(), { queue: fx.name(queue), rateLimit: { allow: 1, every: '30s' } });
    const ended = watch(bus, 'handler.succeeded', 'message.released');
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(ended.length, 2));
    assert.deepEqual(new Set(ended.map(({ name }) => name)), new Set(['handler.succeeded']));
  });
};
