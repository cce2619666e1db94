import assert from 'node:assert/strict';
import { NoRateLimitError, OptionsError } from '../../src/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { deferred } from '../../src/util/deferred.js';
import { watch } from '../support/bus-fixture.js';
import { controlOf } from '../support/operators.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const changingLimits: Theme = (test) => {
  test('handlers of one bucket share one limit, whatever service they are of, and each key has its own', async (fx) => {
    const stores = memoryStores(fx.harness.clock);
    const rateLimit = {
      allow: 2,
      every: '30s',
      bucket: 'stripe',
      by: ({ account }: { account: string }) => account,
    } as const;
    const buses = ['charges', 'refunds'].map((service) =>
      fx.bus(service, { stores }).handle(service, () => {}, { rateLimit }),
    );
    const succeeded = buses.map((bus) => watch(bus, 'handler.succeeded'));
    const released = buses.map((bus) => watch(bus, 'message.released'));
    for (const bus of buses) await bus.start();
    const publisher = await fx.publisher();
    for (const key of ['charges', 'refunds'])
      for (const account of ['a', 'a', 'b']) await publisher.publish(key, { account });
    await fx.eventually(() => assert.equal(succeeded.flat().length, 4));
    await fx.eventually(() => assert.equal(released.flat().length, 2));
  });

  test('a limit may be as high as each message says', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle, {
      rateLimit: {
        allow: ({ tier }: { tier: string }) => (tier === 'gold' ? 3 : 1),
        every: '30s',
        by: ({ tier }: { tier: string }) => tier,
      },
    });
    const released = watch(bus, 'message.released');
    await bus.start();
    for (const tier of ['gold', 'free', 'gold', 'free', 'gold', 'gold']) await bus.publish('k', { tier });
    await fx.eventually(() => assert.equal(released.length, 2));
    const tiers = seen.payloads.map((payload) => (payload as { tier: string }).tier);
    assert.deepEqual(tiers.toSorted(), ['free', 'gold', 'gold', 'gold']);
  });

  test('who is refused by what it calls makes all who share its limit wait, in other processes too, and no try is used', async (fx) => {
    const stores = memoryStores(fx.harness.clock);
    const rateLimit = { allow: 5, every: '1s', bucket: 'stripe' } as const;
    const seen = fx.recorder(({ payload, context }) => {
      if (payload === 'refused' && seen.calls.length === 1) context.limited('3s');
    });
    const options = { rateLimit, retry: { tries: 1 } } as const;
    const first = fx.bus('charges', { stores }).handle('first', seen.handle, options);
    const other = fx.bus('refunds', { stores }).handle('other', seen.handle, options);
    const released = watch(first, 'message.released');
    for (const bus of [first, other]) await bus.start();
    const publisher = await fx.publisher();
    await publisher.publish('first', 'refused');
    await fx.eventually(() => assert.equal(released.length, 1));
    for (const key of ['first', 'other']) await publisher.publish(key, key);
    await fx.eventually(() => assert.equal(seen.calls.length, 4));
    const [refused, ...later] = seen.calls;
    assert.deepEqual(later.map(({ payload }) => payload).toSorted(), ['first', 'other', 'refused']);
    for (const { at, payload } of later)
      assert.ok(at - (refused?.at ?? 0) > 2_900, `${payload} began after ${at - (refused?.at ?? 0)} ms`);
    assert.deepEqual(new Set(seen.attempts), new Set([1]));
  });

  test('a handler without a limit that asks others to wait is told what to do', async (fx) => {
    const errors: unknown[] = [];
    const bus = fx.bus('mailer').handle('k', (_payload, context) => {
      try {
        context.limited('3s');
      } catch (error) {
        errors.push(error);
      }
    });
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(errors.length, 1));
    assert.ok(errors[0] instanceof NoRateLimitError);
    assert.match(errors[0].help, /context.release/);
  });

  test('an operator limits a handler that has no limit: in all processes, also in those that start later, until it is cleared', async (fx) => {
    const control = controlOf(fx);
    const stores = memoryStores(fx.harness.clock);
    const seen = fx.recorder();
    const queue = fx.name('q');
    const process = async () => {
      const bus = fx.bus('mailer', { stores }).handle('k', seen.handle, { name: 'Work', queue });
      await bus.start();
      return bus;
    };
    const buses = [await process(), await process()];
    const publisher = await fx.publisher();
    await publisher.publish('k', 'before');
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    const rate = { allow: 3, every: '30s' } as const;
    const result = await control(({ limits }) => limits.set({ handler: 'Work' }, { rate }));
    assert.deepEqual(
      result.processes.map(({ limited, problem }) => [limited, problem]),
      Array(2).fill([[{ queue, handler: 'Work', alone: true }], undefined]),
    );
    buses.push(await process());
    const inForce = { allow: 3, everyMs: 30_000, keyed: false };
    const { handlers } = await control(({ status }) => status());
    assert.deepEqual(handlers[0]?.limits, { rate: inForce, since: result.changed.since });
    for (const bus of buses) assert.deepEqual(bus.status().handlers[0]?.limits?.rate?.allow, 3);
    const released = buses.map((bus) => watch(bus, 'message.released'));
    for (const number of numbers(6)) await publisher.publish('k', number);
    await fx.eventually(() => assert.equal(released.flat().length, 3));
    assert.equal(seen.calls.length, 4);
    assert.deepEqual(await control(({ limits }) => limits.list()), [result.changed]);
    await control(({ limits }) => limits.clear({ handler: 'Work' }));
    assert.deepEqual(await control(({ limits }) => limits.list()), []);
    for (const number of numbers(6)) await publisher.publish('k', number);
    await fx.eventually(() => assert.equal(seen.calls.length, 10));
    assert.deepEqual(buses[0]?.status().handlers[0]?.limits, undefined);
  });

  test('an operator changes the rate of a handler, which keeps its keys, and of a bucket', async (fx) => {
    const control = controlOf(fx);
    const seen = fx.recorder();
    const by = ({ host }: { host: string }) => host;
    const bus = fx
      .bus('mailer')
      .handle('keyed', seen.handle, { name: 'Keyed', rateLimit: { allow: 1, every: '30s', by } })
      .handle('pooled', seen.handle, {
        name: 'Pooled',
        rateLimit: { allow: 1, every: '30s', bucket: 'pool' },
      });
    const released = watch(bus, 'message.released');
    await bus.start();
    const rate = { allow: 2, every: '30s' } as const;
    await control(({ limits }) => limits.set({ handler: 'Keyed' }, { rate }));
    await control(({ limits }) => limits.set({ bucket: 'pool' }, { rate: { allow: 3, every: '30s' } }));
    for (const host of ['a', 'a', 'a', 'b', 'b']) await bus.publish('keyed', { host });
    for (const number of numbers(4)) await bus.publish('pooled', number);
    await fx.eventually(() => assert.equal(seen.calls.length, 7));
    await fx.eventually(() => assert.equal(released.length, 2));
    await assert.rejects(
      control(({ limits }) => limits.set({ handler: 'Pooled' }, { rate })),
      /'Pooled' takes its permits from the bucket 'pool', which it shares with others: set the rate of the bucket/,
    );
  });

  test('an operator changes how many messages of a handler run at once, up and down, while they run', async (fx) => {
    const control = controlOf(fx);
    const gates: ReturnType<typeof deferred<void>>[] = [];
    const seen = fx.recorder(() => {
      const gate = deferred<void>();
      gates.push(gate);
      return gate.promise;
    });
    const bus = fx
      .bus('mailer', { concurrency: 6 })
      .handle('k', seen.handle, { name: 'Work', queue: fx.name('q') });
    await bus.start();
    const setTo = (concurrency: number) =>
      control(({ limits }) => limits.set({ handler: 'Work' }, { concurrency }));
    for (const number of numbers(4)) await bus.publish('k', number);
    await fx.eventually(() => assert.equal(seen.calls.length, 4));
    // Those that run already count.
    await setTo(2);
    for (const number of numbers(6)) await bus.publish('k', number);
    const running = () => bus.status().handlers[0]?.running;
    for (const gate of gates.slice(0, 2)) gate.resolve();
    await fx.eventually(() => assert.equal(running(), 2));
    await control(({ status }) => status());
    assert.equal(seen.calls.length, 4);
    gates[2]?.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 5));
    assert.equal(running(), 2);
    await setTo(5);
    await fx.eventually(() => assert.equal(running(), 5));
    await control(({ limits }) => limits.clear({ handler: 'Work' }));
    await fx.eventually(() => assert.equal(running(), 6));
    for (const gate of gates) gate.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 10));
    for (const gate of gates) gate.resolve();
  });

  test('a limit for what is not there, or cannot have it, is an error that names what there is', async (fx) => {
    const control = controlOf(fx);
    const handle = () => {};
    const bus = fx.bus('mailer').handle('batched', handle, {
      name: 'Batched',
      queue: fx.name('batches'),
      bulk: { max: 20 },
    });
    for (const queue of ['one', 'two']) bus.handle(queue, handle, { name: 'Twice', queue: fx.name(queue) });
    await bus.start();
    const rate = { allow: 3, every: '30s' } as const;
    const refused = async (asked: Parameters<typeof set>, message: RegExp) =>
      await assert.rejects(
        set(...asked),
        (error) => error instanceof OptionsError && message.test(error.message),
      );
    const set = (
      ...[target, change]: Parameters<Parameters<Parameters<typeof control>[0]>[0]['limits']['set']>
    ) => control(({ limits }) => limits.set(target, change));
    await Promise.all([
      refused([{ handler: 'Batche' }, { rate }], /has a handler 'Batche', did you mean Batched\?/),
      refused([{ handler: 'Any' }, { rate }], /a handler 'Any'; there are Batched, Twice/),
      refused([{ bucket: 'any' }, { rate }], /a bucket 'any'; there are none/),
      refused(
        [{ handler: 'Twice' }, { rate }],
        /several queues have a handler 'Twice': name one of them, .*one, .*two/,
      ),
      refused([{ handler: 'Twice', queue: fx.name('six') }, { rate }], /there is no queue '.*six'/),
      refused(
        [{ handler: 'Batched' }, { concurrency: 3 }],
        /at least 20, the messages that it takes in one call; got 3/,
      ),
      refused(
        [{ handler: 'Batched' }, { rate: { allow: 0, every: '10ms' } }],
        /rate.allow to be an integer from 1 to 1000, got 0[\s\S]*rate.every to be a duration of whole seconds/,
      ),
      refused([{ handler: 'Batched' }, {}], /expected a rate, a concurrency, or both/),
      assert.rejects(
        control(({ limits }) => limits.clear({ handler: 'Batched' })),
        /no limit is set for handler 'Batched'; there are none/,
      ),
    ]);
    await set({ handler: 'Twice', queue: fx.name('two') }, { rate });
    assert.deepEqual(
      bus.status().handlers.map(({ limits }) => limits?.rate?.allow),
      [undefined, undefined, 3],
    );
  });
};
