import assert from 'node:assert/strict';
import type { MessageContext, Stores } from '../../src/index.js';
import { InvalidMessageError, NoMessageIdError, OptionsError, ShutdownError } from '../../src/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { pause } from '../../src/util/clock.js';
import { deferred } from '../../src/util/deferred.js';
import { watch } from '../support/bus-fixture.js';
import { eventually } from '../support/eventually.js';
import type { Theme } from './theme.js';

export const once: Theme = (test) => {
  test('a part that has finished is skipped by later attempts, which get its result, and its key stays the same', async (fx) => {
    const charged: string[] = [];
    const results: unknown[] = [];
    const seen = fx.recorder(async ({ context, attempt }) => {
      results.push(
        await context.once('charge', async (key) => {
          charged.push(key);
          return { at: new Date(0), id: 7 };
        }),
      );
      const key = await context.once('mail', (own) => {
        if (attempt === 1) throw new Error('no luck');
        return own;
      });
      assert.notEqual(key, charged[0]);
      if (attempt === 2) throw new Error('once more');
    });
    const bus = fx.bus('billing').handle('k', seen.handle, {
      retry: { tries: 3, backoff: '100ms' },
      name: 'Charge',
    });
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.deepEqual(seen.attempts, [1, 2, 3]));
    await fx.eventually(() => assert.equal(results.length, 3));
    assert.equal(charged.length, 1);
    const asJson = { at: '1970-01-01T00:00:00.000Z', id: 7 };
    assert.deepEqual(results, [asJson, asJson, asJson]);
    await bus.publish('k', 2);
    await fx.eventually(() => assert.equal(charged.length, 2));
    assert.notEqual(charged[0], charged[1], 'another message has another key');
  });

  test('a part is known by handler, message and name: other messages and handlers do it themselves', async (fx) => {
    const stores = memoryStores(fx.harness.clock);
    const done: string[] = [];
    const keys = new Set<string>();
    // Copies that are handled at the same time may both do a part.
    const alone = (queue: string) => ({ name: fx.name(queue), concurrency: 1 });
    const handle = (who: string) => async (_payload: unknown, context: MessageContext) => {
      for (const name of ['a', 'b', 'a:b'])
        await context.once(name, (key) => {
          keys.add(key);
          done.push(`${who} ${context.messageId} ${name}`);
        });
    };
    const bus = fx
      .bus('billing', { stores })
      .handle('k', handle('First'), { name: 'First', queue: alone('first') })
      .handle('k', handle('Second'), { name: 'Second', queue: alone('second') });
    await bus.start();
    for (const messageId of ['1', '1:a', '1', '1:a']) await bus.publish('k', 1, { messageId });
    await fx.eventually(() => assert.equal(done.length, 12));
    await bus.publish('k', 1, { messageId: 'last' });
    await fx.eventually(() => assert.equal(done.length, 18));
    assert.equal(new Set(done).size, 18);
    assert.equal(keys.size, 18);
  });

  test('handlers of one name in two queues each do their parts', async (fx) => {
    const results = new Set<unknown>();
    const handle = (whose: string) =>
      async function work(_payload: unknown, context: MessageContext) {
        results.add(await context.once('p', (key) => `${whose} ${key}`));
      };
    const bus = fx.bus('billing');
    for (const whose of ['first', 'second']) bus.handle('k', handle(whose), { queue: fx.name(whose) });
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(succeeded.length, 2));
    assert.equal(results.size, 2);
    assert.equal(
      new Set([...results].map((each) => String(each).split(' ')[1])).size,
      2,
      'keys of their own',
    );
  });

  test('a part that is asked for twice at once in one attempt is done once, and each gets a result of its own', async (fx) => {
    let done = 0;
    const seen = fx.recorder(async ({ context }) => {
      const part = () => {
        done += 1;
        return { list: [1] };
      };
      const both = await Promise.all([context.once('p', part), context.once('p', part)]);
      both[0].list.push(2);
      assert.deepEqual(both[1], { list: [1] });
      assert.deepEqual(await context.once('p', part), { list: [1] });
      assert.equal(await context.once('nothing', () => {}), undefined);
      const failing = () => context.once('f', () => Promise.reject(new Error('failed')));
      const failed = await Promise.allSettled([failing(), failing()]);
      assert.deepEqual(
        failed.map(({ status }) => status),
        ['rejected', 'rejected'],
      );
      assert.equal(await context.once('f', () => 'then it works'), 'then it works');
    });
    const bus = fx.bus('billing').handle('k', seen.handle, { retry: { tries: 1 } });
    const succeeded = watch(bus, 'handler.succeeded', 'handler.failed');
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() =>
      assert.deepEqual(
        succeeded.map(({ name }) => name),
        ['handler.succeeded'],
      ),
    );
    assert.equal(done, 1);
  });

  test('of two attempts that overlap both go on with what the first of them has recorded', async (fx) => {
    const gates = [deferred(), deferred()];
    const results: unknown[] = [];
    const seen = fx.recorder(async ({ context, attempt }) => {
      const result = await context.once('p', async () => {
        await gates[attempt - 1]?.promise;
        return `by attempt ${attempt}`;
      });
      results.push([attempt, result]);
    });
    const bus = fx.bus('billing', { timeoutGrace: '100ms' }).handle('k', seen.handle, {
      ...{ timeout: '200ms', name: 'Work' },
      retry: { tries: 2, backoff: '100ms' },
    });
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.deepEqual(seen.attempts, [1, 2]));
    gates[1]?.resolve();
    await eventually(() => assert.deepEqual(results, [[2, 'by attempt 2']]));
    gates[0]?.resolve();
    await eventually(() => assert.deepEqual(results[1], [1, 'by attempt 2']));
  });

  test('an attempt whose signal has fired begins no other part, and still gets what was recorded', async (fx) => {
    const answers: unknown[] = [];
    const seen = fx.recorder(async ({ context, attempt }) => {
      await context.once('before', () => 'recorded');
      if (attempt > 1) return;
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
      answers.push(await context.once('before', () => assert.fail('it is recorded')));
      await context
        .once('after', () => assert.fail('the next attempt does it'))
        .catch((error) => answers.push(error.constructor));
    });
    const bus = fx.bus('billing').handle('k', seen.handle);
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    await fx.outcome(bus.stop({ cancel: true }));
    assert.deepEqual(answers, ['recorded', ShutdownError]);
  });

  test('what can not be recorded, has no name or no message id fails the attempt', async (fx) => {
    const errors: unknown[] = [];
    let done = 0;
    const seen = fx.recorder(async ({ context, attempt, payload }) => {
      if (payload === 'foreign') {
        await context.once('p', () => {
          done += 1;
        });
        return;
      }
      const wrong: (() => Promise<unknown>)[] = [
        () => context.once('', () => {}),
        () => context.once('x'.repeat(256), () => {}),
        () => context.once('p', 'no function' as never),
        () => context.once('p', () => {}, { keep: '400d' }),
        () => context.once('p', () => {}, { kep: '1d' } as never),
        () => context.once('p', () => {}, 5 as never),
        () => context.once('p', () => 1n),
        () => context.once('p', () => () => {}),
      ];
      for (const each of wrong) await each().catch((error) => errors.push(error));
      assert.equal(await context.once('p', () => attempt), 1, 'nothing of it was recorded');
    });
    const bus = fx.bus('billing').handle('k', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
    const retried = watch(bus, 'message.retried');
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(errors.length, 8));
    for (const error of errors.slice(0, 6)) assert.ok(error instanceof OptionsError, String(error));
    for (const error of errors.slice(6)) {
      assert.ok(error instanceof InvalidMessageError, String(error));
      assert.match(error.message, /^the part 'p' is done, but its result can't be recorded as JSON: /);
    }
    // A foreign message has an id once it has been published again.
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: '"foreign"' });
    await fx.eventually(() => assert.equal(done, 1));
    const [first] = retried as { event: object }[];
    assert.ok((first?.event as { error?: unknown } | undefined)?.error instanceof NoMessageIdError);
  });

  test('a store that is away fails the attempt, before the part or after it, and the next one goes on', async (fx) => {
    const stores = memoryStores(fx.harness.clock);
    const away = () => Promise.reject(new Error('away'));
    let once: Stores['once'] = { reserve: away, record: away };
    const own: Stores = {
      ...stores,
      get once() {
        return once;
      },
    };
    const done: number[] = [];
    const seen = fx.recorder(async ({ context, attempt }) => {
      if (attempt === 2) once = { reserve: async () => undefined, record: away };
      if (attempt === 3) once = stores.once;
      await context.once('p', () => void done.push(attempt));
    });
    const bus = fx
      .bus('billing', { stores: own })
      .handle('k', seen.handle, { retry: { tries: 3, backoff: '100ms' } });
    const retried = watch(bus, 'message.retried');
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(succeeded.length, 1));
    assert.deepEqual(done, [2, 3]);
    assert.equal(retried.length, 2);
  });

  test('a dead letter that is replayed skips what had finished, until that is forgotten', async (fx) => {
    let isBroken = true;
    const done: string[] = [];
    const seen = fx.recorder(async ({ context }) => {
      await context.once('kept', () => void done.push('kept'));
      await context.once('forgotten', () => void done.push('forgotten'), { keep: '1ms' });
      if (isBroken) throw new Error('not yet');
    });
    const bus = fx.bus('billing').handle('k', seen.handle, { name: 'Work', retry: { tries: 1 } });
    await bus.start();
    await bus.publish('k', 1);
    const failures = await fx.failures('billing');
    await fx.eventually(async () => assert.equal((await failures.count())[0]?.count, 1));
    isBroken = false;
    await fx.outcome(pause(fx.harness.clock, 10));
    await fx.outcome(failures.retry({}));
    await fx.eventually(() => assert.deepEqual(done, ['kept', 'forgotten', 'forgotten']));
  });

  test('in a handler of many each message has parts of its own', async (fx) => {
    const done: unknown[] = [];
    let calls = 0;
    const bus = fx.bus('billing').handle(
      'k',
      async (payloads: unknown[], contexts: MessageContext[]) => {
        calls += 1;
        for (const [n, context] of contexts.entries())
          await context.once('p', () => void done.push(payloads[n]));
        if (calls === 1) throw new Error('all once more');
      },
      { bulk: { max: 2, within: '100ms' }, retry: { tries: 2, backoff: '100ms' } },
    );
    const dead = watch(bus, 'message.deadLettered', 'handler.succeeded');
    await bus.start();
    await bus.publishMany('k', ['a', 'b'], { pack: 2 });
    await fx.eventually(() => assert.equal(dead.length, 2));
    assert.deepEqual(done.toSorted(), ['a', 'b']);
  });
};
