import assert from 'node:assert/strict';
import { z } from 'zod';
import type { HandleOptions } from '../../src/consume/handlers/definition.js';
import {
  type Bus,
  defineMessage,
  NotUniqueError,
  OptionsError,
  PublishManyError,
  type Stores,
  UnroutableError,
} from '../../src/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { pause } from '../../src/util/clock.js';
import { deferred } from '../../src/util/deferred.js';
import { joined } from '../../src/util/text/joined.js';
import { type BusFixture, type Call, watch } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

interface Order {
  readonly id: number;
  readonly what?: string;
}

const sync = defineMessage<Order>('order.sync', undefined, { unique: { by: ({ id }) => String(id) } });
const newest = defineMessage<Order>('order.index', undefined, {
  unique: { by: ({ id }) => String(id), keep: 'last' },
});

export const unique: Theme = (test) => {
  test('a second send is refused with the id of the first, while that waits and while it runs', async (fx) => {
    const gate = deferred();
    const { bus, seen } = await worker(fx, () => gate.promise);
    await bus.send(sync, { id: 1 }, { messageId: 'first' });
    await refused(bus.send(sync, { id: 1 }), 'first');
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    await refused(bus.send(sync, { id: 1 }), 'first');
    await bus.send(sync, { id: 2 });
    await bus.send('order.sync', { id: 1 }, { unique: { key: 'another' } });
    await bus.send('order.other', { id: 1 }, { unique: { key: '1' } });
    gate.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 4));
    await free(fx, bus, { id: 1 });
    await fx.eventually(() => assert.equal(seen.calls.length, 5));
  });

  test('a send under the id of the one that has the key is no other message', async (fx) => {
    const gate = deferred();
    const { bus, seen } = await worker(fx, () => gate.promise);
    await bus.send(sync, { id: 1 }, { messageId: 'first' });
    await bus.send(sync, { id: 1 }, { messageId: 'first' });
    gate.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
  });

  test('a named message that is moved keeps its key until it has run at its new moment', async (fx) => {
    const seen = fx.recorder();
    const stores = memoryStores(fx.harness.clock);
    const bus = fx.bus('worker', { stores }).handle(sync, seen.handle);
    const skipped = watch(bus, 'message.skipped');
    await bus.start();
    const rule = { key: '1', for: '300ms' } as const;
    const send = () => bus.send(sync, { id: 2 }, { unique: rule });
    await bus.send(sync, { id: 1 }, { unique: rule, name: 'sync-1', messageId: 'first', delay: '200ms' });
    await bus.reschedule('sync-1', '2s');
    await fx.eventually(() => assert.equal(skipped.length, 1));
    await refused(send(), 'first');
    await bus.send(sync, { id: 3 }, { unique: { key: 'other' }, delay: '800ms' });
    await fx.eventually(() => assert.deepEqual(seen.payloads, [{ id: 3 }]));
    await refused(send(), 'first');
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    await fx.eventually(send);
  });

  test('until started: the key is free as soon as the handler begins, and stays so for its retries', async (fx) => {
    const gates = [deferred(), deferred()];
    const { bus, seen } = await worker(fx, async ({ attempt }) => {
      await gates[attempt - 1]?.promise;
      if (attempt === 1) throw new Error('once more');
    });
    const started = { unique: { key: 'k', until: 'started' } } as const;
    await bus.send('order.sync', 1, { ...started, messageId: 'first', delay: '300ms' });
    await refused(bus.send('order.sync', 2, started), 'first');
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    await bus.send('order.sync', 2, { ...started, messageId: 'second', delay: '10m' });
    gates[0]?.resolve();
    gates[1]?.resolve();
    await fx.eventually(() => assert.deepEqual(seen.attempts, [1, 2]));
    await refused(bus.send('order.sync', 3, started), 'second');
  });

  test('the key is given back however the message ends: done, discarded, given up, or never handled', async (fx) => {
    const strict = defineMessage('order.sync', z.looseObject({ id: z.number() }));
    const seen = fx.recorder(({ payload, context }) => {
      const { what } = payload as Order;
      if (what === 'discard') context.discard();
      if (what === 'fail') context.fail('no');
      if (what === 'throw') throw new Error('no luck');
    });
    const bus = fx.bus('worker').handle(strict, seen.handle, { retry: { tries: 1 } });
    await bus.start();
    const ends = watch(bus, 'handler.succeeded', 'message.discarded', 'message.deadLettered');
    const key = { unique: { key: 'k', for: '1d' } } as const;
    for (const [index, payload] of [
      ...[{ id: 1 }, { id: 1, what: 'discard' }, { id: 1, what: 'fail' }, { id: 1, what: 'throw' }],
      { id: 'invalid' },
    ].entries()) {
      await fx.eventually(() => bus.send('order.sync', payload, key).then(() => true));
      await fx.eventually(() => assert.equal(ends.length, index + 1));
    }
    await fx.eventually(() => bus.send('order.sync', { id: 1 }, key).then(() => true));
    assert.deepEqual(
      ends.slice(0, 5).map(({ name }) => name.split('.')[1]),
      ['succeeded', 'discarded', 'deadLettered', 'deadLettered', 'deadLettered'],
    );
  });

  test('between attempts the key stays taken, for as long as the pause and the time of waiting together', async (fx) => {
    const asked: unknown[][] = [];
    const stores = watched(memoryStores(fx.harness.clock), (...call) => asked.push(call));
    const { bus, seen } = await worker(
      fx,
      ({ context, attempt }) => {
        if (seen.calls.length === 1) context.release('400ms');
        else if (attempt === 1) throw new Error('once more');
      },
      { retry: { tries: 2, backoff: '200ms' }, timeout: '10s' },
      { stores },
    );
    const comesBack = watch(bus, 'message.released', 'message.retried');
    await bus.send(sync, { id: 1 }, { messageId: 'first', deadline: '1s', unique: { key: '1', for: '1m' } });
    for (const times of [1, 2]) {
      await fx.eventually(() => assert.equal(comesBack.length, times));
      await refused(bus.send(sync, { id: 1 }, { deadline: '1s' }), 'first');
    }
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
    await free(fx, bus, { id: 1 });
    const ofFirst = asked.filter(([, , owner]) => owner === 'first').map(([name, , , ms]) => [name, ms]);
    const hold = ['acquire', 20_000];
    const [sent, ...rest] = ofFirst;
    assert.deepEqual(sent, ['acquire', 6_000]);
    // Its confirm may come when it is handled already.
    const confirmed = rest.findIndex(([name, ms]) => name === 'extend' && ms === 60_000);
    assert.equal(rest.splice(confirmed, 1).length, 1);
    assert.deepEqual(rest, [
      ...[hold, ['extend', 60_400]],
      ...[hold, ['extend', 60_200]],
      ...[hold, ['release', undefined]],
    ]);
  });

  test('a send that fails gives the key back at once', async (fx) => {
    const bus = await fx.publisher();
    for (let times = 0; times < 2; times += 1)
      await assert.rejects(bus.send(sync, { id: 1 }), UnroutableError);
    await assert.rejects(bus.send(sync, { id: 1 }, { headers: { CC: 'x' }, delay: '1s' }));
    await assert.rejects(bus.send(sync, { id: 1 }), UnroutableError);
  });

  test('a delayed send has the key for its delay, and as long as it may wait then', async (fx) => {
    const asked: unknown[][] = [];
    const stores = watched(memoryStores(fx.harness.clock), (...call) => asked.push(call));
    const bus = await fx.publisher({ stores });
    const unique = { key: '1', for: '366d' } as const;
    await bus.send(sync, { id: 1 }, { unique, delay: '30d' });
    await bus.send(sync, { id: 2 }, { at: new Date(fx.harness.clock.now() + 3_600_000) });
    const kept = asked.filter(([name]) => name === 'extend').map(([, , , ms]) => Number(ms));
    assert.equal(kept[0], 396 * 86_400_000);
    assert.ok(Number(kept[1]) > 7_199_000 && Number(kept[1]) <= 7_200_000, String(kept[1]));
    await bus.send(newest, { id: 1 }, { unique: { ...unique, keep: 'last' }, delay: '30d' });
    const known = asked.filter(([name]) => name === 'next' || name === 'advance');
    assert.deepEqual(
      known.map((call) => call.at(-1)),
      [396 * 86_400_000, 396 * 86_400_000],
    );
  });

  test('one that waits longer than its key is kept gives it up, and is handled all the same', async (fx) => {
    const gate = deferred();
    const { bus, seen } = await worker(fx, () => gate.promise, { concurrency: 1 });
    const unique = { key: '1', for: '200ms' } as const;
    await bus.send('order.sync', 'holds the place');
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    // A key is kept at least as long as the publish may take, and five seconds more.
    const soon = { deadline: '500ms' } as const;
    await bus.send(sync, { id: 1 }, { ...soon, unique, messageId: 'first' });
    await bus.send(sync, { id: 2 }, { ...soon, unique: { ...unique, key: '2' }, messageId: 'alone' });
    await fx.outcome(pause(fx.harness.clock, 5_700));
    await bus.send(sync, { id: 1 }, { messageId: 'second' });
    const held: unknown[] = [];
    bus.on('handler.started', ({ messageId }) => {
      // Nobody else had its key: it has it again.
      if (messageId === 'alone') held.push(bus.send(sync, { id: 2 }).catch((error) => error.holder));
    });
    gate.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 4));
    assert.equal(await held[0], 'alone');
    assert.deepEqual(warnings(fx), [
      'a unique message has waited longer than its key was kept: another has it by now, and both are handled',
    ]);
  });

  test('the newest stands for all that wait: with a delay, one is handled when no other has come for so long', async (fx) => {
    const { bus, seen } = await worker(fx);
    const skipped = watch(bus, 'message.skipped');
    for (const what of ['a', 'b', 'c']) await bus.send(newest, { id: 1, what }, { delay: '300ms' });
    await bus.send(newest, { id: 2, what: 'another' }, { delay: '300ms' });
    await fx.eventually(() => assert.equal(skipped.length, 2));
    await fx.eventually(() => assert.deepEqual(whats(seen.payloads), ['another', 'c']));
    await bus.send(newest, { id: 1, what: 'd' });
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
    assert.equal(skipped.length, 2);
  });

  test('an older message is skipped, too, that comes after the newest was handled', async (fx) => {
    const { bus, seen } = await worker(fx);
    const skipped = watch(bus, 'message.skipped');
    await bus.send(
      newest,
      { id: 1, what: 'old' },
      { delay: '2s', unique: { key: '1', keep: 'last', for: '1s' } },
    );
    await bus.send(newest, { id: 1, what: 'new' });
    await fx.eventually(() => assert.deepEqual(whats(seen.payloads), ['new']));
    await fx.eventually(() => assert.equal(skipped.length, 1));
    assert.deepEqual(whats(seen.payloads), ['new']);
  });

  test('a newer one that was never stored makes nobody be skipped', async (fx) => {
    const stores = memoryStores(fx.harness.clock);
    const { bus, seen } = await worker(fx, undefined, {}, { stores });
    await bus.send(newest, { id: 1, what: 'old' }, { delay: '300ms' });
    // What a process leaves that dies before its message is confirmed.
    await stores.unique.next(joined(fx.events, 'order.index', '1'), 60_000);
    await fx.eventually(() => assert.deepEqual(whats(seen.payloads), ['old']));
  });

  test('a newer one makes an older one be skipped between its attempts, unless it is until started', async (fx) => {
    for (const until of ['done', 'started'] as const) {
      const key = { key: until, keep: 'last', until } as const;
      const { bus, seen } = await worker(
        fx,
        ({ payload }) => {
          if ((payload as Order).what === 'old' && seen.calls.length === 1) throw new Error('once more');
        },
        { retry: { tries: 2, backoff: '500ms' } },
        {},
        until,
      );
      const ends = watch(bus, 'message.skipped', 'handler.succeeded');
      await bus.send(newest, { id: 1, what: 'old' }, { unique: key, key: `order.${until}` });
      await fx.eventually(() => assert.equal(seen.calls.length, 1));
      await bus.send(newest, { id: 1, what: 'new' }, { unique: key, key: `order.${until}` });
      await fx.eventually(() => assert.equal(ends.length, 2));
      assert.deepEqual(whats(seen.payloads), until === 'done' ? ['new', 'old'] : ['new', 'old', 'old']);
    }
  });

  test('a dead letter that is replayed is handled whoever has the key, unless a newer one stands for it', async (fx) => {
    let isBroken = true;
    const { bus, seen } = await worker(
      fx,
      () => {
        if (isBroken) throw new Error('no luck');
      },
      { retry: { tries: 1 } },
    );
    const dead = watch(bus, 'message.deadLettered');
    const skipped = watch(bus, 'message.skipped');
    await bus.send(sync, { id: 1, what: 'first' });
    await bus.send(newest, { id: 1, what: 'old' });
    await fx.eventually(() => assert.equal(dead.length, 2));
    isBroken = false;
    await fx.eventually(() => bus.send(sync, { id: 1, what: 'has it' }, { delay: '10m' }).then(() => true));
    await bus.send(newest, { id: 1, what: 'new' });
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
    const failures = await fx.failures('worker');
    const lines: string[] = [];
    for await (const line of failures.export({})) lines.push(line);
    await fx.outcome(failures.forget({}));
    await failures.import(lines);
    await fx.outcome(failures.retry({}));
    await fx.eventually(() => assert.equal(skipped.length, 1));
    await fx.eventually(() => assert.deepEqual(whats(seen.payloads), ['first', 'first', 'new', 'old']));
  });

  test("a handler's own word is for the sends of its bus, and what the definition or the send says goes before it", async (fx) => {
    const gate = deferred();
    const seen = fx.recorder(() => gate.promise);
    const stores = memoryStores(fx.harness.clock);
    const bus = fx.bus('worker', { stores }).handle('order.*', seen.handle, {
      unique: { by: (order: Order) => String(order.what) },
    });
    const other = fx.bus('other', { stores });
    await bus.start();
    await other.start();
    await bus.send('order.sync', { id: 1, what: 'x' }, { messageId: 'first' });
    await refused(bus.send('order.sync', { id: 2, what: 'x' }), 'first');
    await bus.send('order.else', { id: 2, what: 'x' });
    await bus.publish('order.sync', { id: 2, what: 'x' });
    await bus.send('order.sync', { id: 2, what: 'x' }, { unique: { key: 'own' } });
    await bus.send(sync, { id: 3, what: 'x' }, { messageId: 'by id' });
    await refused(bus.send(sync, { id: 3, what: 'y' }), 'by id');
    await other.send('order.sync', { id: 4, what: 'x' });
    await refused(other.send('order.sync', { id: 4 }, { unique: { key: 'x' } }), 'first');
    gate.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 6));
  });

  test('many are sent one by one, each refused for itself', async (fx) => {
    const gate = deferred();
    const { bus, seen } = await worker(fx, () => gate.promise);
    const error = await bus.sendMany(sync, [{ id: 1 }, { id: 2 }, { id: 1 }, { id: 3 }]).then(
      () => assert.fail('the third is refused'),
      (cause) => cause,
    );
    assert.ok(error instanceof PublishManyError, String(error));
    assert.deepEqual(
      error.failures.map((failure) => [failure.index, failure.error.constructor]),
      [[2, NotUniqueError]],
    );
    await assert.rejects(bus.sendMany(sync, [{ id: 9 }], { pack: 10 }), OptionsError);
    gate.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
  });

  test('the same message in another lane is the same', async (fx) => {
    const gate = deferred();
    const { bus } = await worker(fx, () => gate.promise, { lanes: ['high', 'default'] });
    await bus.send(sync, { id: 1 }, { messageId: 'first', lane: 'high' });
    await refused(bus.send(sync, { id: 1 }), 'first');
    gate.resolve();
  });

  test('what can not be unique is refused before anything is asked', async (fx) => {
    const { bus, seen } = await worker(fx);
    const wrong = (unique: unknown) => bus.send('order.sync', 1, { unique } as never);
    await assert.rejects(bus.publish(sync, { id: 1 }), OptionsError);
    await assert.rejects(bus.publishMany(sync, [{ id: 1 }]), OptionsError);
    await assert.rejects(bus.publish('order.sync', 1, { unique: { key: '1' } }), OptionsError);
    await assert.rejects(wrong({}), OptionsError);
    await assert.rejects(wrong({ key: '1', for: '400d' }), OptionsError);
    await assert.rejects(wrong({ key: '1', until: 'never' }), OptionsError);
    await assert.rejects(wrong({ key: '1', keep: 'all', unti: 'done' }), /did you mean until/);
    await assert.rejects(wrong({ key: 'x'.repeat(256) }), /at most 255 bytes, got 256/);
    const broken = defineMessage<Order>('order.sync', undefined, {
      unique: {
        by: () => {
          throw new RangeError('no key');
        },
      },
    });
    await assert.rejects(bus.send(broken, { id: 1 }), RangeError);
    assert.throws(
      () => defineMessage('x', undefined, { unique: { by: 5, for: 'long' } } as never),
      OptionsError,
    );
    assert.throws(() => defineMessage('x', undefined, { unique: {}, pack: {} }), /either pack or unique/);
    assert.throws(
      () =>
        fx
          .bus('w')
          .handle('x', () => {}, { unique: { for: 0 } })
          .describe(),
      OptionsError,
    );
    assert.equal(seen.calls.length, 0);
  });

  test('a key that is missing refuses the send: it is not that of all messages without one', async (fx) => {
    const misspelt = defineMessage<{ id?: number }>('order.sync', undefined, {
      unique: { by: ({ id }) => id as number },
    });
    const { bus, seen } = await worker(fx);
    for (let copy = 0; copy < 2; copy += 1)
      await assert.rejects(bus.send(misspelt, {}), {
        code: 'HOPLINE_INVALID_MESSAGE',
        message: /expected unique\.by of 'order\.sync' to return a non-empty string.*, got undefined/,
      });
    await bus.send(misspelt, { id: 0 });
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
  });

  test('a store that is away refuses a send, and keeps nothing from being handled but what may be skipped', async (fx) => {
    const stores = memoryStores(fx.harness.clock);
    let isAway = true;
    const { bus, seen } = await worker(fx, undefined, {}, { stores: failing(stores, () => isAway) });
    const released = watch(bus, 'message.released');
    await assert.rejects(bus.send(sync, { id: 1 }), /away/);
    await assert.rejects(bus.send(newest, { id: 1 }), /away/);
    isAway = false;
    await bus.send(sync, { id: 1, what: 'handled' }, { delay: '300ms' });
    await bus.send(newest, { id: 1, what: 'later' }, { delay: '300ms' });
    isAway = true;
    await fx.eventually(() => assert.deepEqual(whats(seen.payloads), ['handled']));
    await fx.eventually(() => assert.equal(released.length, 1));
    isAway = false;
    await fx.eventually(() => assert.deepEqual(whats(seen.payloads), ['handled', 'later']), {
      timeout: 20_000,
    });
    assert.deepEqual([...new Set(seen.attempts)], [1]);
    const left = await bus.send(sync, { id: 1 }).catch((error) => error);
    assert.ok(left instanceof NotUniqueError, 'what could not be given back ends by itself');
    assert.ok(warnings(fx).some((text) => text.includes('could not be kept or given back')));
  });

  test('a store that goes away after the confirm changes nothing about that', async (fx) => {
    const stores = memoryStores(fx.harness.clock);
    let isAway = false;
    const gate = deferred();
    const { bus, seen } = await worker(fx, () => gate.promise, {}, { stores: failing(stores, () => isAway) });
    bus.on('message.confirmed', () => {
      isAway = true;
    });
    await bus.send(sync, { id: 1 });
    assert.ok(warnings(fx).some((text) => text.includes('what became of a unique send')));
    gate.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
  });

  test('a mark that can not be read makes a message like any other', async (fx) => {
    const { seen } = await worker(fx);
    for (const mark of ['no JSON', '{"v":2,"key":"k","until":"done","for":1}', '[]', '{"v":1}'])
      await fx.foreign.publish({
        exchange: fx.events,
        routingKey: 'order.sync',
        body: '1',
        properties: { headers: { 'hopline-unique': mark } },
      });
    await fx.eventually(() => assert.equal(seen.calls.length, 4));
  });
};

type Options = HandleOptions;

/** A service that handles whatever is sent as `order.*`. */
async function worker(
  fx: BusFixture,
  then?: (call: Call) => unknown,
  {
    concurrency,
    lanes,
    ...options
  }: Omit<Options, 'concurrency'> & {
    concurrency?: number;
    lanes?: string[];
  } = {},
  busOptions: { stores?: Stores } = {},
  only = '*',
) {
  const seen = fx.recorder(then);
  const queue = {
    name: fx.name(only === '*' ? 'worker' : only),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(lanes === undefined ? {} : { lanes }),
  };
  const retry = { backoff: '100ms' } as const;
  const bus = fx.bus('worker', busOptions).handle(`order.${only}`, seen.handle, { retry, queue, ...options });
  await bus.start();
  return { bus, seen };
}

async function refused(sending: Promise<unknown>, holder: string): Promise<void> {
  const error = await sending.then(
    () => assert.fail('it was sent'),
    (cause) => cause,
  );
  assert.ok(error instanceof NotUniqueError, String(error));
  assert.equal(error.holder, holder);
  assert.match(error.message, new RegExp(`^another message '${error.routingKey}' .*: ${holder}$`));
}

/** The ack of the one before may still be on its way. */
const free = (fx: BusFixture, bus: Bus, order: Order) =>
  fx.eventually(() => bus.send(sync, order).then(() => true));

const whats = (payloads: readonly unknown[]) =>
  payloads.map((each) => String((each as Order).what)).toSorted();

const warnings = (fx: BusFixture) =>
  fx.log.filter(({ level }) => level === 'warn').map(({ message }) => message);

/** The same stores, which may be away. */
const failing = (stores: Stores, isAway: () => boolean): Stores =>
  watched(stores, () => {
    if (isAway()) throw new Error('away');
  });

/** The same stores: `see` is told of what is asked, and may throw. */
function watched(stores: Stores, see: (method: string, ...given: unknown[]) => void): Stores {
  const seen = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get: (target, name) => {
        const method = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return async (...given: unknown[]) => {
          see(String(name), ...given);
          return method.apply(target, given);
        };
      },
    });
  return { ...stores, unique: seen(stores.unique) };
}
