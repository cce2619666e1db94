import assert from 'node:assert/strict';
import { type MessageContext, OptionsError } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, ours, watch } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const serving: Theme = (test) => {
  /** A service with three queues, of which the first has lanes. */
  function service(fx: BusFixture, handle: (payload: unknown) => unknown = () => {}) {
    const seen = fx.recorder(({ payload }) => handle(payload) as undefined);
    const queue = (name: string, lanes?: readonly string[]) => ({
      queue: { name: fx.name(name), concurrency: 1, prefetch: 20, ...(lanes && { lanes }) },
    });
    const bus = fx
      .bus('mailer')
      .handle('mail', seen.handle, queue('mails', ['high', 'default']))
      .handle('media', seen.handle, queue('media'))
      .handle('rest', seen.handle, queue('rest'));
    return { bus, seen };
  }

  test('a process consumes only the queues that it is started for; the others are declared, and keep theirs', async (fx) => {
    const { bus, seen } = service(fx);
    await bus.start({ queues: [fx.name('media'), fx.name('mails')] });
    for (const key of ['rest', 'mail', 'media']) await bus.send(key, key);
    await fx.eventually(() => assert.deepEqual(seen.payloads.toSorted(), ['mail', 'media']));
    assert.equal(fx.trace.consumersOf(fx.name('rest')), 0);
    await bus.stop();
    const kept = await fx.taken(fx.name('rest'), 1);
    assert.equal(kept[0]?.body.toString(), '"rest"');
  });

  test('queues that are named share their slots: one that is later starts only when none of an earlier one waits', async (fx) => {
    const gate = deferred();
    const { bus, seen } = service(fx, (payload) => (payload === 'first' ? gate.promise : undefined));
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start({ queues: [fx.name('media'), fx.name('mails')] });
    // From then on more than one may be here.
    await bus.send('mail', 'warm');
    await bus.send('mail', 'warm', { lane: 'high' });
    await bus.send('media', 'warm');
    await fx.eventually(() => assert.equal(succeeded.length, 3));
    await bus.send('mail', 'first');
    await fx.eventually(() => assert.equal(seen.calls.length, 4));
    for (const number of numbers(5)) {
      await bus.send('mail', `mail ${number}`);
      await bus.send('mail', `high ${number}`, { lane: 'high' });
      await bus.send('media', `media ${number}`);
    }
    await fx.eventually(() => {
      assert.equal(fx.trace.deliveriesOf(fx.name('media')), 6);
      assert.equal(fx.trace.deliveriesOf(fx.name('mails')), 7);
      assert.equal(fx.trace.deliveriesOf(fx.name('mails.high')), 6);
    });
    gate.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 19));
    assert.deepEqual(
      seen.payloads.slice(4),
      ['media', 'high', 'mail'].flatMap((word) => numbers(5).map((number) => `${word} ${number}`)),
    );
  });

  test('a process consumes only the lanes that it is started for', async (fx) => {
    const { bus, seen } = service(fx);
    await bus.start({ queues: [fx.name('mails')], lanes: ['high'] });
    await bus.send('mail', 'normal');
    await bus.send('mail', 'urgent', { lane: 'high' });
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['urgent']));
    assert.equal(fx.trace.consumersOf(fx.name('mails')), 0);
  });

  test('a process may have another policy for handlers that say nothing of their own', async (fx) => {
    const attempts: string[] = [];
    const fail = (_payload: unknown, { routingKey, attempt, tries }: MessageContext) => {
      attempts.push(`${routingKey} ${attempt} of ${tries}`);
      throw new Error('once more');
    };
    const hang = (_payload: unknown, { signal }: MessageContext) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const bus = fx
      .bus('mailer', { retry: { tries: 9, backoff: '100ms' } })
      .handle('silent', fail)
      .handle('says', fail, { retry: { tries: 1 } })
      .handle('hangs', hang);
    await bus.start({ retry: { tries: 2 }, timeout: '200ms' });
    for (const key of ['silent', 'says', 'hangs']) await bus.publish(key, 1);
    const letters = await fx.deadLetters(fx.name('mailer'), 3);
    assert.deepEqual(attempts.toSorted(), ['says 1 of 1', 'silent 1 of 2', 'silent 2 of 2']);
    assert.ok(letters.some((letter) => String(ours(letter).error).startsWith('HandlerTimeoutError')));
    const wrong = fx.bus('wrong').handle('k', () => {});
    await assert.rejects(wrong.start({ retry: { trys: 2 } as never, timeout: 'soon' as never }), (error) => {
      assert.ok(error instanceof OptionsError);
      assert.match(
        error.message,
        /unknown option retry\.trys, did you mean retry\.tries\?|did you mean tries\?/,
      );
      assert.match(error.message, /expected timeout to be a duration/);
      return true;
    });
    await assert.rejects(wrong.start({ timeout: 0 }), /expected timeout to be a duration of 1 ms to/);
  });

  test('a process may run more at once, or less, than its queues say', async (fx) => {
    const gate = deferred();
    const { bus, seen } = service(fx, () => gate.promise);
    await bus.start({ concurrency: 3 });
    for (const number of numbers(5)) await bus.send('media', number);
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
    await fx.eventually(() => assert.equal(fx.trace.deliveriesOf(fx.name('media')), 5));
    assert.equal(seen.calls.length, 3);
    gate.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 5));
  });

  test('a queue or a lane that is not there is an error, which names those that are', async (fx) => {
    const { bus } = service(fx);
    const start = bus.start({ queues: [fx.name('mail')], lanes: ['urgent'] });
    const error = await fx.outcome(start).then(
      () => assert.fail('it started'),
      (reason: unknown) => reason as OptionsError,
    );
    assert.ok(error instanceof OptionsError);
    assert.match(error.message, /there is no queue '.*mail', did you mean .*mails\?/);
    assert.match(error.message, /there is no lane 'urgent'; there are high, default/);
    await bus.start({ queues: [fx.name('media')] });
  });
};
