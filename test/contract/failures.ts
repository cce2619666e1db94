import assert from 'node:assert/strict';
import { HandlerTimeoutError, type MessageContext } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { ours, publishersHeaders } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

const UNSHOWABLE = { toJSON: () => assert.fail('shown') };

/** All the ways in which code fails. */
const FAILURES: Readonly<Record<string, () => unknown>> = {
  'throws an Error': () => {
    throw new Error('sync');
  },
  'rejects with an Error': () => Promise.reject(new Error('async')),
  'throws null': () => {
    throw null as unknown as Error;
  },
  'rejects with a string': () => Promise.reject('no error at all'),
  'throws what cannot be shown': () => {
    throw UNSHOWABLE as unknown as Error;
  },
};

export const failures: Theme = (test) => {
  for (const [how, fail] of Object.entries(FAILURES)) {
    test(`a handler that ${how} is called again, and its queue goes on`, async (fx) => {
      const seen = fx.recorder(({ payload, attempt }) =>
        payload === 'failing' && attempt === 1 ? fail() : undefined,
      );
      const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { backoff: '100ms' } });
      await bus.start();
      await bus.publish('k', 'failing');
      await bus.publish('k', 'fine');
      await fx.eventually(() => assert.equal(seen.calls.length, 3));
      assert.deepEqual(seen.calls.map(({ payload, attempt }) => `${payload} ${attempt}`).toSorted(), [
        'failing 1',
        'failing 2',
        'fine 1',
      ]);
    });
  }

  test('many failing messages are all handled in the end, each attempt counted', async (fx) => {
    const attempts = new Map<unknown, number[]>();
    const bus = fx.bus('mailer').handle(
      'k',
      (payload: number, { attempt }) => {
        attempts.set(payload, [...(attempts.get(payload) ?? []), attempt]);
        if (attempt <= payload % 4) throw new Error(`attempt ${attempt}`);
      },
      { retry: { tries: 4, backoff: '100ms' } },
    );
    await bus.start();
    const payloads = Array.from({ length: 40 }, (_, index) => index);
    await Promise.all(payloads.map((payload) => bus.publish('k', payload)));
    await fx.eventually(() => {
      for (const payload of payloads) assert.equal(attempts.get(payload)?.length, (payload % 4) + 1);
    });
    for (const payload of payloads) {
      assert.deepEqual(attempts.get(payload), [1, 2, 3, 4].slice(0, (payload % 4) + 1));
    }
  });

  test('what a handler does to its payload is not seen by its next attempt, nor by another service', async (fx) => {
    type Payload = { list: number[]; name?: string };
    const seen: unknown[] = [];
    const spoil = (payload: Payload, { attempt }: MessageContext) => {
      seen.push(structuredClone(payload));
      payload.list.push(99);
      delete payload.name;
      if (attempt === 1) throw new Error('spoilt');
    };
    const [spoiling, other] = [fx.bus('spoiling'), fx.bus('other')];
    spoiling.handle('k', spoil, { retry: { backoff: '100ms' } });
    other.handle('k', spoil, { retry: { backoff: 0 } });
    await Promise.all([spoiling.start(), other.start()]);
    await spoiling.publish('k', { list: [1], name: 'intact' });
    await fx.eventually(() => assert.equal(seen.length, 4));
    for (const payload of seen) assert.deepEqual(payload, { list: [1], name: 'intact' });
  });

  for (const backoff of ['100ms', 0] as const) {
    test(`what a handler does to its headers is not seen by its next attempt after ${backoff}, nor in the dead letter`, async (fx) => {
      const headers = { tenant: 'a', 'x-own': 'b', nested: { deep: ['c'] } };
      const views: object[] = [];
      const spoil = (context: MessageContext) => {
        views.push(structuredClone({ ...context.headers }));
        const mine = context.headers as Record<string, unknown>;
        mine.tenant = 'spoilt';
        mine.added = 'x';
        delete mine['x-own'];
        (mine.nested as { deep: string[] }).deep.push('spoilt');
        throw new Error('once more');
      };
      const bus = fx.bus('mailer').handle('k', (_payload, context) => spoil(context), {
        retry: { tries: 2, backoff },
      });
      await bus.start();
      await bus.publish('k', 1, { headers });
      const letter = await fx.deadLetter(fx.name('mailer'));
      assert.deepEqual(views, [headers, headers]);
      assert.deepEqual(publishersHeaders(letter.properties.headers), headers);
    });
  }

  test('what a failing handler has published stays published, once for each attempt', async (fx) => {
    const seen = fx.recorder();
    const bus = fx
      .bus('mailer')
      .handle(
        'first',
        async (_payload, context) => {
          await context.publish('second', context.attempt);
          throw new Error('after publishing');
        },
        { retry: { tries: 2, backoff: '100ms' } },
      )
      .handle('second', seen.handle);
    await bus.start();
    await bus.publish('first', 1);
    await fx.deadLetter(fx.name('mailer'));
    await fx.eventually(() => assert.deepEqual(seen.payloads, [1, 2]));
  });

  test('a handler that runs too long has its signal fired, and the attempt counts as failed', async (fx) => {
    const reasons: unknown[] = [];
    const seen = fx.recorder(async ({ context, attempt }) => {
      if (attempt === 2) return;
      const { signal } = context;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reasons.push(signal.reason);
    });
    const bus = fx
      .bus('mailer', { timeout: '200ms' })
      .handle('k', seen.handle, { retry: { backoff: '100ms' } });
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    assert.deepEqual(seen.attempts, [1, 2]);
    assert.ok(reasons[0] instanceof HandlerTimeoutError);
    assert.ok(seen.at(1).at - seen.at(0).at >= 300, 'timeout and backoff have passed');
  });

  test('a handler that never ends loses its slot after the grace: its message is given up, others are handled', async (fx) => {
    const never = deferred();
    const seen = fx.recorder(({ payload }) => (payload === 'stuck' ? never.promise : undefined));
    const options = { concurrency: 1, timeout: '150ms', timeoutGrace: '100ms' } as const;
    const bus = fx.bus('mailer', options).handle('k', seen.handle, { retry: { tries: 1 } });
    await bus.start();
    await bus.publish('k', 'stuck');
    await bus.publish('k', 'next');
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.match(String(ours(letter).error), /^HandlerTimeoutError: /);
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['stuck', 'next']));
    assert.ok(seen.at(1).at - seen.at(0).at >= 250, 'timeout and grace have passed');
    never.resolve();
  });

  test('failed() that fails itself is written into the dead letter, and its queue goes on', async (fx) => {
    const seen = fx.recorder(() => Promise.reject(new Error('the handler')));
    const bus = fx.bus('mailer').handle('k', seen.handle, {
      retry: { tries: 1 },
      failed: () => Promise.reject(new Error('failed too')),
    });
    await bus.start();
    await bus.publish('k', 1);
    await bus.publish('k', 2);
    for (const letter of await fx.deadLetters(fx.name('mailer'), 2)) {
      const { reason, error } = ours(letter);
      assert.equal(reason, 'exhausted');
      assert.equal(error, 'Error: the handler; then failed() threw Error: failed too');
    }
  });
};
