import assert from 'node:assert/strict';
import { z } from 'zod';
import { defineMessage, UnrecoverableError } from '../../src/index.js';
import type { BusFixture, LogLine } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

/** Those that speak of failures; what a broken connection is told of is another theme. */
function failuresIn(fx: BusFixture): LogLine[] {
  return fx.log.filter(({ message }) => / failed[ (]/.test(message));
}

const told = (fx: BusFixture) =>
  failuresIn(fx).map(({ level, message }) => `${level} ${message.replaceAll(fx.name(''), '')}`);

export const failureLog: Theme = (test) => {
  test('a failing handler writes a warning with its stack, and an error once it is dead-lettered', async (fx) => {
    fx.expectError(/dead-lettered/);
    const fail = () => {
      throw new RangeError('boom');
    };
    const bus = fx
      .bus('mailer', { failureLog: true })
      .handle('user.created', fail, { name: 'Welcome', retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    await bus.publish('user.created', { password: 'never shown' }, { messageId: 'm1' });
    await fx.eventually(() => assert.equal(failuresIn(fx).length, 2));
    assert.deepEqual(told(fx), [
      "warn handler 'Welcome' failed (attempt 1 of 2), retried in 100ms: RangeError: boom",
      "error handler 'Welcome' failed (attempt 2 of 2), dead-lettered to mailer.dead as exhausted: RangeError: boom",
    ]);
    const [{ fields } = { fields: {} }] = failuresIn(fx);
    const { err, ...known } = fields as { readonly err?: Error };
    assert.match(err?.stack ?? '', /RangeError: boom\n +at .*failure-log/);
    assert.deepEqual(JSON.parse(JSON.stringify(known)), {
      service: fx.name('mailer'),
      queue: fx.name('mailer'),
      handler: 'Welcome',
      exchange: fx.events,
      routingKey: 'user.created',
      messageId: 'm1',
      attempt: 1,
      tries: 2,
      delayMs: 100,
    });
    assert.doesNotMatch(JSON.stringify(fx.log), /never shown/);
  });

  test('a handler that fails again and again writes two lines, and a sum when the bus stops', async (fx) => {
    fx.expectError(/dead-lettered/);
    let calls = 0;
    const fail = () => {
      calls += 1;
      throw new Error(`number ${calls}`);
    };
    const bus = fx
      .bus('mailer', { failureLog: { every: '1h' } })
      .handle('k', fail, { name: 'Mails', retry: { tries: 2, backoff: 0 } });
    await bus.start();
    await Promise.all(Array.from({ length: 50 }, (_, index) => bus.publish('k', index)));
    await fx.deadLetters(fx.name('mailer'), 50);
    await fx.stop(bus);
    const lines = told(fx);
    assert.equal(lines.length, 3);
    assert.match(
      lines[2] ?? '',
      /^error handler 'Mails' failed 98 times more in .* \(49 retried, 49 dead-lettered\), the last time with Error: number \d+$/,
    );
  });

  test('what no handler has failed at is told, too: what times out, is undecodable, invalid, or nobody has', async (fx) => {
    fx.expectError(/dead-lettered/);
    const order = defineMessage('order.placed', z.literal('good'));
    const hang = () => new Promise(() => {});
    const bus = fx
      .bus('shop', { failureLog: true, timeoutGrace: '50ms', unhandledRetryFor: 0 })
      .handle(order, () => {}, { name: 'Orders' })
      .handle('hang', hang, { name: 'Hanging', timeout: '100ms', retry: { tries: 1 } })
      .handle('done', () => Promise.reject(new UnrecoverableError('no such order')), { name: 'Done' });
    await bus.start();
    const queue = fx.name('shop');
    const publish = (routingKey: string, body: string) =>
      fx.foreign.publish({ exchange: fx.events, routingKey, body });
    await publish('order.placed', 'no JSON');
    await publish('order.placed', '"bad"');
    await publish('hang', '1');
    await publish('done', '1');
    await fx.foreign.publish({ exchange: '', routingKey: queue, body: '1' });
    await fx.eventually(() => assert.equal(failuresIn(fx).length, 5));
    assert.deepEqual(
      told(fx)
        .map((line) => line.replace(/ as ([\w-]+): (\w+).*$/s, ' as $1: $2'))
        .toSorted(),
      [
        "error a message of queue 'shop' failed (attempt 1 of 5), dead-lettered to shop.dead as invalid: PayloadInvalidError",
        "error a message of queue 'shop' failed (attempt 1 of 5), dead-lettered to shop.dead as undecodable: UndecodableError",
        "error a message of queue 'shop' failed (attempt 1), dead-lettered to shop.dead as no-handler: NoHandlerError",
        "error handler 'Done' failed (attempt 1 of 5), dead-lettered to shop.dead as unrecoverable: UnrecoverableError",
        "error handler 'Hanging' failed (attempt 1 of 1), dead-lettered to shop.dead as exhausted: HandlerTimeoutError",
      ],
    );
  });

  test('failed() that fails is told beside the dead letter', async (fx) => {
    fx.expectError(/dead-lettered/);
    const bus = fx.bus('mailer', { failureLog: true }).handle('k', () => Promise.reject(new Error('one')), {
      name: 'Mails',
      retry: { tries: 1 },
      failed: () => Promise.reject(new TypeError('another')),
    });
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(failuresIn(fx).length, 2));
    assert.deepEqual(told(fx), [
      "error handler 'Mails' failed (attempt 1 of 1), dead-lettered to mailer.dead as exhausted: Error: one",
      "error failed() of handler 'Mails' failed (attempt 1 of 1), its message is dead-lettered to mailer.dead all the same: TypeError: another",
    ]);
  });

  test('what is released, or succeeds, or fails while the log is off, writes nothing', async (fx) => {
    const seen = fx.recorder(({ context, attempt, payload }) => {
      if (payload === 'released' && attempt === 1 && seen.calls.length < 3) context.release('100ms');
    });
    const loud = fx.bus('loud', { failureLog: true }).handle('k', seen.handle);
    const quiet = fx.bus('quiet').handle('k', () => Promise.reject(new Error('quiet')), {
      retry: { tries: 1 },
    });
    await Promise.all([loud.start(), quiet.start()]);
    await loud.publish('k', 'fine');
    await loud.publish('k', 'released');
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
    await fx.deadLetters(fx.name('quiet'), 2);
    assert.deepEqual(told(fx), []);
  });
};
