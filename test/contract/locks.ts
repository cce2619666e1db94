import assert from 'node:assert/strict';
import type { Lock, LockOptions, MessageContext } from '../../src/index.js';
import { HandlerTimeoutError, LockLostError, LockTakenError, OptionsError } from '../../src/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { pause } from '../../src/util/clock.js';
import { deferred } from '../../src/util/deferred.js';
import { watch } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const locks: Theme = (test, { realTime }) => {
  test('a lock is held by one handler at a time, whatever its service, and each holder has a higher fence', async (fx) => {
    const { clock } = fx.harness;
    const stores = memoryStores(clock);
    const fences: number[] = [];
    let holders = 0;
    const handle = async (_payload: unknown, context: MessageContext) => {
      await using lock = await context.lock('report:7', { wait: '30s' });
      holders += 1;
      assert.equal(holders, 1, 'two hold it');
      fences.push(lock.fence);
      await pause(clock, 10);
      lock.mustBeHeld();
      holders -= 1;
    };
    const failed: unknown[] = [];
    for (const service of ['billing', 'reports']) {
      const bus = fx.bus(service, { stores, concurrency: 4 }).handle('k', handle, { retry: { tries: 1 } });
      bus.on('handler.failed', ({ error }) => failed.push(error));
      await bus.start();
    }
    const publisher = await fx.publisher();
    for (const number of numbers(4)) await publisher.publish('k', number);
    await fx.eventually(() => assert.equal(fences.length + failed.length, 8));
    assert.deepEqual(failed, []);
    assert.deepEqual(
      fences,
      [...new Set(fences)].toSorted((left, right) => left - right),
    );
  });

  test('whoever asks for a lock that is held is told so at once, and gets it when it is given back if it waits', async (fx) => {
    const [isHeld, isTold] = [deferred<Lock>(), deferred()];
    const told: unknown[] = [];
    const waited: Lock[] = [];
    const bus = fx
      .bus('billing', { concurrency: 3 })
      .handle('holds', async (_payload, context) => {
        const lock = await context.lock('l');
        isHeld.resolve(lock);
        told.push(await context.lock('l').catch((error) => error));
        assert.equal((await context.lock('other')).signal.aborted, false, 'each name is a lock of its own');
        await isTold.promise;
        await lock.release();
        await lock.release();
        assert.throws(() => lock.mustBeHeld(), LockLostError);
        assert.equal(lock.signal.aborted, false);
      })
      .handle('asks', async (_payload, context) => {
        told.push(await context.lock('l', { wait: '0s' }).catch((error) => error));
        isTold.resolve();
        waited.push(await context.lock('l', { wait: '30s' }));
      });
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.publish('holds', 1);
    const { fence } = await isHeld.promise;
    await bus.publish('asks', 1);
    await fx.eventually(() => assert.equal(succeeded.length, 2));
    for (const error of told) {
      assert.ok(error instanceof LockTakenError, String(error));
      assert.equal(error.message, "the lock 'l' is held by another");
    }
    assert.equal(told.length, 2);
    assert.ok(waited.length === 1 && waited.every((lock) => lock.fence > fence));
  });

  test('a lock that a handler forgets is given back when its attempt has ended, however that was', async (fx) => {
    const never = deferred();
    const taken: Lock[] = [];
    const refused: unknown[] = [];
    const take = async (context: MessageContext) => {
      try {
        taken.push(await context.lock('l', { ttl: '1d' }));
      } catch (error) {
        refused.push(error);
      }
    };
    const bus = fx.bus('billing', { concurrency: 1, timeoutGrace: '10ms' }).handle(
      'k',
      async (how: string, context) => {
        await take(context);
        if (how === 'throws') throw new Error('on purpose');
        if (how === 'releases' && !context.redelivered) context.release('1h');
        if (how === 'discards') context.discard();
        if (how === 'goes on') await never.promise;
      },
      {
        timeout: '500ms',
        retry: { tries: 1 },
        failed: async (_error, _payload, context) => take(context),
      },
    );
    const ended = watch(
      bus,
      'handler.succeeded',
      'message.released',
      'message.discarded',
      'message.deadLettered',
    );
    await bus.start();
    const ways = ['returns', 'throws', 'releases', 'discards', 'goes on', 'returns'];
    for (const [index, how] of ways.entries()) {
      await bus.publish('k', how);
      await fx.eventually(() => assert.equal(ended.length, index + 1));
    }
    assert.deepEqual(refused, []);
    assert.equal(taken.length, ways.length + 2, 'failed() takes it twice');
    for (const lock of taken) {
      assert.ok(lock.signal.reason instanceof LockLostError, String(lock.signal.reason));
      assert.throws(() => lock.mustBeHeld(), LockLostError);
    }
    never.resolve();
  });

  test('a lock is renewed for as long as its handler runs', async (fx) => {
    const { clock } = fx.harness;
    const stores = memoryStores(clock);
    const isHeld = deferred();
    const held: Lock[] = [];
    let [heldFrom, refusedAt] = [0, 0];
    const bus = fx
      .bus('billing', { stores, concurrency: 2 })
      .handle('holds', async (_payload, context) => {
        const lock = await context.lock('l', { ttl: '1s' });
        heldFrom = clock.monotonic();
        isHeld.resolve();
        for (let time = 0; time < 1_600; time += 100) {
          await pause(clock, 100);
          lock.mustBeHeld();
        }
        held.push(lock);
        await lock.release();
      })
      .handle('asks', async (_payload, context) => {
        for (let time = 0; held.length === 0 && time < 10_000; time += 50) {
          await assert.rejects(context.lock('l'), LockTakenError);
          refusedAt = clock.monotonic();
          await pause(clock, 50);
        }
      });
    const ended = watch(bus, 'handler.succeeded', 'handler.failed');
    await bus.start();
    await bus.publish('holds', 1);
    await isHeld.promise;
    await bus.publish('asks', 1);
    await fx.eventually(() => assert.equal(held.length, 1));
    await fx.eventually(() => assert.equal(ended.length, 2));
    assert.deepEqual(
      ended.map(({ name }) => name),
      ['handler.succeeded', 'handler.succeeded'],
    );
    assert.ok(refusedAt - heldFrom > 1_100, `refused after ${refusedAt - heldFrom} ms`);
    assert.equal(held[0]?.signal.aborted, false);
  });

  test('a lock that can not be renewed is lost before its time is over: its signal says why, and what it guards can be refused', async (fx) => {
    const { clock } = fx.harness;
    const memory = memoryStores(clock);
    const away = new Error('the store is away');
    const { leases } = memory;
    assert.ok(leases);
    const renew = () => Promise.reject(away);
    const unrenewable = Object.assign(Object.create(leases), { renew });
    const stores = { ...memory, leases: unrenewable };
    const [lostAfter, refusals] = [[] as number[], [] as unknown[]];
    const bus = fx.bus('billing', { stores }).handle('k', async (_payload, context) => {
      const from = clock.monotonic();
      const lock = await context.lock('l', { ttl: '500ms' });
      await new Promise<void>((resolve) => lock.signal.addEventListener('abort', () => resolve()));
      lostAfter.push(clock.monotonic() - from);
      refusals.push(lock.signal.reason);
      if (!realTime)
        assert.equal(typeof (await leases.look('lock:l')), 'number', 'nobody else can have it yet');
      assert.throws(() => lock.mustBeHeld(), LockLostError);
    });
    const ended = watch(bus, 'handler.succeeded', 'handler.failed');
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(ended.length, 1));
    assert.equal(ended[0]?.name, 'handler.succeeded');
    const [ms = 0] = lostAfter;
    assert.ok(realTime ? ms > 440 : ms === 450, `${ms} ms`);
    const [error] = refusals;
    assert.ok(error instanceof LockLostError);
    assert.equal(error.message, "the lock 'l' was not renewed in time");
    assert.equal(error.cause, away);
  });

  test('who waits for a lock waits until the signal fires, and no longer than it has said', async (fx) => {
    const { clock } = fx.harness;
    const stores = memoryStores(clock);
    await stores.leases?.take('lock:l', 'somebody', 3_600_000);
    const errors: unknown[] = [];
    const waits: number[] = [];
    const bus = fx.bus('billing', { stores, concurrency: 2 }).handle(
      'k',
      async (options: LockOptions, context) => {
        const from = clock.monotonic();
        await context.lock('l', options).catch((error) => {
          errors.push(error);
          waits.push(clock.monotonic() - from);
        });
      },
      { timeout: '500ms', retry: { tries: 1 } },
    );
    await bus.start();
    await bus.publish('k', { wait: '200ms' });
    await bus.publish('k', { wait: '1h' });
    await fx.eventually(() => assert.equal(errors.length, 2));
    const [short, long] = errors;
    assert.ok(short instanceof LockTakenError, String(short));
    assert.ok(long instanceof HandlerTimeoutError, String(long));
    assert.ok((waits[0] ?? 0) >= 199 && (waits[1] ?? 0) >= 499, String(waits));
  });

  test('a lock is refused that could not work, with all that is wrong, and one without a store of leases', async (fx) => {
    const errors: unknown[] = [];
    const { leases: _none, ...stores } = memoryStores(fx.harness.clock);
    const bus = fx.bus('billing', { stores }).handle('k', async (_payload, context) => {
      const wrong = { ttl: '1ms', wait: '2d', renew: true } as unknown as LockOptions;
      for (const refused of [context.lock('', wrong), context.lock('l'), context.lock('l', 5 as never)])
        errors.push(await refused.catch((error) => error));
    });
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(errors.length, 3));
    const [first, second, third] = errors.map((error) => {
      assert.ok(error instanceof OptionsError, String(error));
      return error.problems;
    });
    assert.match(
      String(first?.join('\n')),
      /expected name to be a string of 1 to 255 bytes.*\nunknown option renew.*\nexpected ttl to be a duration of 100ms to 1d, .*\nexpected wait to be /,
    );
    assert.match(String(second), /^expected stores.leases to be a store of leases/);
    assert.match(String(third), /^expected its options to be an object, got 5$/);
  });
};
