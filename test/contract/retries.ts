import assert from 'node:assert/strict';
import { type RetryOptions, UnrecoverableError } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { ours, watch, wireHeaders } from '../support/bus-fixture.js';
import { eventually } from '../support/eventually.js';
import type { ForeignDelivery } from '../support/transport-harness.js';
import type { Theme } from './theme.js';

const POLICIES: { what: string; retry: RetryOptions; pauses: number[] }[] = [
  {
    what: 'a list, whose last pause repeats',
    retry: { backoff: ['100ms', '300ms'] },
    pauses: [100, 300, 300],
  },
  {
    what: 'an exponential, up to its maximum',
    retry: { backoff: { exponential: { first: '100ms', factor: 2, max: '300ms' } } },
    pauses: [100, 200, 300],
  },
  { what: 'a function', retry: { backoff: (attempt) => attempt * 100 }, pauses: [100, 200, 300] },
  { what: 'no pause', retry: { backoff: 0 }, pauses: [0, 0, 0] },
];

export const retries: Theme = (test, { realTime }) => {
  for (const { what, retry, pauses } of POLICIES) {
    test(`a failed message comes back after the pauses of its policy: ${what}`, async (fx) => {
      const seen = fx.recorder(() => Promise.reject(new Error('again')));
      const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { tries: 4, ...retry } });
      await bus.start();
      await bus.publish('k', 1);
      const letter = await fx.deadLetter(fx.name('mailer'));
      assert.deepEqual(seen.attempts, [1, 2, 3, 4]);
      const waited = seen.calls.slice(1).map(({ at }, index) => at - seen.at(index).at);
      if (realTime) {
        pauses.forEach((pause, index) => {
          assert.ok(Number(waited[index]) >= pause, `pause ${index}: ${waited[index]} ms, not ${pause}`);
        });
      } else assert.deepEqual(waited, pauses);
      assert.equal(ours(letter).attempt, 4);
    });
  }

  test('a retry goes to the queue it failed in and to no other, under its original exchange and key', async (fx) => {
    const failing = fx.recorder(({ payload, attempt }) => {
      if (payload !== 'end' && attempt === 1) throw new Error('once');
    });
    const [other, prefix] = [fx.recorder(), fx.recorder()];
    const bus = fx
      .bus('mailer')
      .handle('order.*', failing.handle, { queue: fx.name('a.b'), retry: { backoff: '100ms' } })
      .handle('order.#', other.handle, { queue: fx.name('other') })
      .handle('#', prefix.handle, { queue: fx.name('a') });
    await bus.start();
    await bus.publish('order.placed', { id: 1 }, { messageId: 'm', headers: { tenant: 'a' } });
    await fx.eventually(() => assert.equal(failing.calls.length, 2));
    await bus.publish('order.last', 'end');
    await fx.eventually(() => {
      for (const { payloads } of [failing, other, prefix]) assert.equal(payloads.at(-1), 'end');
    });
    assert.deepEqual([other.calls.length, prefix.calls.length], [2, 2]);
    const [first, second] = failing.calls.map(({ context }) => context);
    for (const context of [first, second]) {
      assert.deepEqual(
        [context?.exchange, context?.routingKey, context?.queue, context?.messageId, context?.headers.tenant],
        [fx.events, 'order.placed', fx.name('a.b'), 'm', 'a'],
      );
    }
    assert.equal(second?.redelivered, false);
  });

  test('an UnrecoverableError ends a message at its first attempt', async (fx) => {
    const seen = fx.recorder(() => Promise.reject(new UnrecoverableError('no such customer')));
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await bus.start();
    await bus.publish('k', 1);
    const { reason, attempt, exceptions, error } = ours(await fx.deadLetter(fx.name('mailer')));
    assert.deepEqual(
      { reason, attempt, exceptions, error },
      { reason: 'unrecoverable', attempt: 1, exceptions: 1, error: 'UnrecoverableError: no such customer' },
    );
    assert.equal(seen.calls.length, 1);
  });

  test('a message whose next attempt would come too late is given up as expired', async (fx) => {
    const seen = fx.recorder(() => Promise.reject(new Error('again')));
    const retry = { tries: 50, backoff: ['100ms', '100ms', '5s'], retryFor: '4s' } as const;
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry });
    await bus.start();
    await bus.publish('k', 1);
    const { reason, attempt } = ours(await fx.deadLetter(fx.name('mailer')));
    assert.deepEqual({ reason, attempt }, { reason: 'expired', attempt: 3 });
  });

  test('a message is given up when its next attempt would begin after the moment that it names itself', async (fx) => {
    const seen = fx.recorder(({ payload }) => {
      (payload as { until: number }).until += 3_600_000; // changes nothing: it was asked before
      throw new Error('again');
    });
    const retry: RetryOptions = {
      tries: Number.POSITIVE_INFINITY,
      backoff: ['100ms', '5s'],
      retryUntil: ({ until }: { until: number }) => new Date(until),
    };
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry });
    await bus.start();
    await bus.publish('k', { until: fx.harness.clock.now() + 4_000 });
    const { reason, attempt } = ours(await fx.deadLetter(fx.name('mailer')));
    assert.deepEqual({ reason, attempt }, { reason: 'expired', attempt: 2 });
  });

  test('a policy that has changed meets the old queue, and holds for what was delayed under the old one', async (fx) => {
    const first = fx.recorder(() => Promise.reject(new Error('again')));
    const old = fx.bus('mailer').handle('k', first.handle, {
      retry: { tries: 9, backoff: '400ms' },
      queue: { concurrency: 1 },
    });
    const retried = watch(old, 'message.retried');
    await old.start();
    await old.publish('k', 'under way');
    await fx.eventually(() => assert.equal(retried.length, 1));
    await fx.stop(old);

    const second = fx.recorder(() => Promise.reject(new Error('again')));
    const bus = fx.bus('mailer', { unhandledRetryFor: '1m' }).handle('k', second.handle, {
      retry: { tries: 2, backoff: ['4m', '1h'], jitter: 0.5, retryFor: '2d', on: [] },
      timeout: '7s',
      queue: { concurrency: 30, prefetch: 200 },
    });
    await bus.start();
    const { reason, attempt } = ours(await fx.deadLetter(fx.name('mailer')));
    assert.deepEqual({ reason, attempt }, { reason: 'exhausted', attempt: 2 });
    assert.deepEqual(second.attempts, [2]);
  });

  test('rules for some errors go before the policy: give up, drop, or another pause', async (fx) => {
    class Declined extends Error {}
    class Stale extends Error {}
    class Busy extends Error {}
    const errors: Record<string, () => Error> = {
      declined: () => new Declined('no'),
      stale: () => new Stale('old'),
      busy: () => new Busy('later'),
    };
    const seen = fx.recorder(({ payload, attempt }) => {
      if (attempt === 1) throw errors[payload as string]?.();
    });
    const failed: unknown[] = [];
    const bus = fx.bus('mailer').handle('k', seen.handle, {
      retry: {
        backoff: '1h',
        on: [
          { error: Declined, then: 'dead-letter' },
          { error: Stale, then: 'discard' },
          { error: (error) => error instanceof Busy, then: 'retry', backoff: '100ms' },
        ],
      },
      failed: (error) => failed.push(error.message),
    });
    const discarded = watch(bus, 'message.discarded');
    await bus.start();
    for (const payload of Object.keys(errors)) await bus.publish('k', payload);
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.equal(letter.body.toString(), '"declined"');
    assert.equal(ours(letter).reason, 'unrecoverable');
    await fx.eventually(() => assert.equal(seen.calls.length, 4));
    assert.deepEqual([seen.at(3).payload, seen.at(3).attempt], ['busy', 2]);
    assert.equal(discarded.length, 1);
    assert.deepEqual(failed, ['no']);
  });

  test('a timeout ends a message at once where its handler says so', async (fx) => {
    const never = deferred();
    const seen = fx.recorder(() => never.promise);
    const bus = fx.bus('mailer', { timeoutGrace: '100ms' }).handle('k', seen.handle, {
      timeout: '100ms',
      failOnTimeout: true,
    });
    await bus.start();
    await bus.publish('k', 1);
    const { reason, attempt } = ours(await fx.deadLetter(fx.name('mailer')));
    assert.deepEqual({ reason, attempt }, { reason: 'timeout', attempt: 1 });
    never.resolve();
  });

  test('a released message comes back after its delay, and that counts neither as a try nor as a throw', async (fx) => {
    const seen = fx.recorder(({ context }) => {
      if (seen.calls.length <= 3) context.release('200ms');
      else throw new Error('now it fails');
    });
    const bus = fx
      .bus('mailer')
      .handle('k', seen.handle, { retry: { tries: 2, maxExceptions: 2, backoff: 100 } });
    const released = watch(bus, 'message.released');
    await bus.start();
    await bus.publish('k', 1);
    const { reason, attempt, exceptions, releases } = ours(await fx.deadLetter(fx.name('mailer')));
    assert.deepEqual(
      { reason, attempt, exceptions, releases },
      { reason: 'exhausted', attempt: 2, exceptions: 2, releases: 3 },
    );
    assert.deepEqual(seen.attempts, [1, 1, 1, 1, 2]);
    assert.equal(released.length, 3);
    for (const index of [1, 2, 3]) {
      const waited = seen.at(index).at - seen.at(index - 1).at;
      if (realTime) assert.ok(waited >= 200, `${waited} ms`);
      else assert.equal(waited, 200);
    }
  });

  test('the first decision of a handler counts: neither a later one nor a throw undoes it', async (fx) => {
    const seen = fx.recorder(({ payload, context }) => {
      if (seen.calls.filter((call) => call.payload === payload).length > 1) return;
      if (payload === 'released') context.release('100ms');
      if (payload === 'failed') context.fail('first');
      context.discard();
      context.fail('second');
      throw new Error('not used');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { tries: 1 } });
    const discarded = watch(bus, 'message.discarded');
    await bus.start();
    for (const payload of ['released', 'failed', 'discarded']) await bus.publish('k', payload);
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.equal(letter.body.toString(), '"failed"');
    assert.equal(ours(letter).error, 'Error: first');
    await fx.eventually(() => assert.equal(seen.calls.length, 4));
    assert.deepEqual((seen.payloads as string[]).toSorted(), ['discarded', 'failed', 'released', 'released']);
    assert.equal(discarded.length, 1);
  });

  test('a foreign message starts at its first attempt whatever its headers say, and gets an id for its second', async (fx) => {
    const seen = fx.recorder(({ attempt }) => {
      if (attempt === 1) throw new Error('once');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { tries: 3, backoff: '100ms' } });
    await bus.start();
    const headers = {
      'hopline-attempt': 3,
      'hopline-exceptions': 9,
      'hopline-exchange': 'nowhere',
      'hopline-routing-key': 'else',
      'hopline-first-attempt-at': '2001-01-01T00:00:00.000Z',
      'hopline-reason': 'forged',
    };
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: '1', properties: { headers } });
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    assert.deepEqual(seen.attempts, [1, 2]);
    assert.deepEqual(seen.keys, ['k', 'k']);
    assert.equal(seen.at(0).context.messageId, undefined);
    assert.match(seen.at(1).context.messageId ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(wireHeaders(seen.at(1).context)['hopline-reason'], undefined);
  });

  test('a message that was published without a date has none at any attempt, nor as a dead letter', async (fx) => {
    const given = [{}, { messageId: 'their-own' }, { timestamp: 1_000_000_000 }];
    for (const [index, properties] of given.entries()) {
      const seen = fx.recorder(() => Promise.reject(new Error('again')));
      const service = `mailer${index}`;
      const key = `k${index}`;
      const bus = fx.bus(service).handle(key, seen.handle, { retry: { tries: 3, backoff: '100ms' } });
      await bus.start();
      await fx.foreign.publish({ exchange: fx.events, routingKey: key, body: '1', properties });
      const failures = await fx.failures(service);
      await fx.eventually(async () => assert.equal((await failures.count())[0]?.count, 1));
      const [letter] = await failures.list();
      const date = 'timestamp' in properties ? new Date(properties.timestamp * 1_000) : undefined;
      assert.deepEqual(
        [...seen.calls.map(({ context }) => context.publishedAt), letter?.publishedAt],
        [date, date, date, date],
      );
    }
  });

  test('attempts without a pause between them leave the process to all else, and end with the bus', async (fx) => {
    let attempts = 0;
    const seen = fx.recorder();
    const endless = { tries: Number.POSITIVE_INFINITY, retryFor: '10m', backoff: 0 } as const;
    const bus = fx
      .bus('mailer')
      .handle(
        'endless',
        () => {
          attempts += 1;
          throw new Error('again');
        },
        { queue: fx.name('endless'), retry: endless },
      )
      .handle('else', seen.handle, { queue: fx.name('else') });
    await bus.start();
    await bus.publish('endless', 1);
    await eventually(() => assert.ok(attempts > 100));
    await bus.publish('else', 1);
    await eventually(() => assert.equal(seen.calls.length, 1));
    await bus.stop();
    const [left] = await fx.taken(fx.name('endless'), 1);
    const begun = attempts;
    assert.equal(ours(left as ForeignDelivery).attempt, begun + 1, 'it goes on where it was');
  });

  test('a message that brings an old x-death passes the delays all the same, and leaves it behind', async (fx) => {
    const seen = fx.recorder(({ attempt }) => {
      if (attempt <= 2) throw new Error('again');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { tries: 3, backoff: '100ms' } });
    await bus.start();
    // As if it had been through the level of 100 ms before: 3.10 would take a second trip for a cycle.
    const level = `${fx.harness.delayPrefix}.delay.1.t1`;
    const death = { queue: level, reason: 'expired', count: 1, exchange: '', 'routing-keys': ['k'] };
    const headers = {
      'x-death': [death, { ...death, queue: fx.name('mailer') }],
      'x-first-death-queue': level,
      'x-first-death-reason': 'expired',
      'x-first-death-exchange': '',
      tenant: 'kept',
    };
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: '1', properties: { headers } });
    await fx.eventually(() => assert.deepEqual(seen.attempts, [1, 2, 3]));
    const deaths = wireHeaders(seen.at(2).context)['x-death'] as { queue?: string }[] | undefined;
    // That of the last hop, which the broker writes itself, and nothing from before.
    assert.deepEqual(
      deaths?.map(({ queue }) => queue),
      [level],
    );
    for (const { context } of seen.calls) assert.deepEqual({ ...context.headers }, { tenant: 'kept' });
  });

  test("a message's own expiration does not end its pauses early, and travels beside it", async (fx) => {
    const seen = fx.recorder(() => Promise.reject(new Error('again')));
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { tries: 2, backoff: '400ms' } });
    await bus.start();
    await bus.publish('k', 1, { expiration: '150ms' });
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.equal(seen.calls.length, 2);
    assert.ok(seen.at(1).at - seen.at(0).at >= 400, `${seen.at(1).at - seen.at(0).at} ms`);
    assert.equal(letter.properties.expiration, undefined);
    assert.equal(ours(letter).expiration, '150');
  });

  test('a message that no handler of its queue matches is released for a while, then dead-lettered', async (fx) => {
    const seen = fx.recorder();
    // One second, then four: the second release would be over the patience.
    const unhandledRetryFor = realTime ? '1s' : '10m';
    const bus = fx.bus('mailer', { unhandledRetryFor }).handle('known', seen.handle);
    const released = watch(bus, 'message.released');
    await bus.start();
    await fx.foreign.bind(fx.name('mailer'), fx.events, 'left.over');
    await bus.publish('left.over', 1);
    const letter = await fx.deadLetter(fx.name('mailer'), realTime ? 10_000 : 700_000);
    const { reason, attempt, routingKey, error } = ours(letter);
    assert.deepEqual(
      { reason, attempt, routingKey },
      { reason: 'no-handler', attempt: 1, routingKey: 'left.over' },
    );
    assert.match(
      String(error),
      /^NoHandlerError: no handler of queue '.*mailer' matches 'left\.over' of exchange '.*events'$/,
    );
    const delays = released.map(({ event }) => (event as { delayMs: number }).delayMs);
    const known = realTime ? [1_000] : [1_000, 4_000, 16_000, ...Array<number>(9).fill(60_000)];
    assert.deepEqual(delays, known);
    assert.deepEqual(seen.calls, []);
  });
};
