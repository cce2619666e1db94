import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { z } from 'zod';
import {
  AttemptOverError,
  type BusEvents,
  defineMessage,
  defineRequest,
  type HandleOptions,
  type MessageContext,
  OptionsError,
  PayloadInvalidError,
  PublishManyError,
  PublishNotKeptError,
  ResponderError,
  type Serializer,
  staticKeys,
  UnroutableError,
} from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, type Recorder, watch } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

const OPTIONS: HandleOptions = { publishes: 'after', retry: { tries: 3, backoff: '100ms' } };

/** A service that handles `order.placed` with what a test says, and another that remembers all that comes of it. */
async function shop(
  fx: BusFixture,
  handle: (context: MessageContext, payload: unknown) => unknown,
  options: HandleOptions = {},
) {
  const seen = fx.recorder();
  await fx.bus('office').handle('out.#', seen.handle, { concurrency: 1 }).start();
  const bus = fx
    .bus('shop')
    .handle('order.placed', (payload, context) => handle(context, payload), { ...OPTIONS, ...options });
  await bus.start();
  return { bus, seen };
}

const idsOf = (seen: Recorder) => seen.calls.map(({ context }) => context.messageId);

/** Resolves when the office has had a message that was published after all that could have come. */
async function allSeen(fx: BusFixture, seen: Recorder): Promise<string[]> {
  const bus = await fx.publisher();
  await bus.publish('out.last', 0);
  await fx.eventually(() => assert.ok(seen.keys.includes('out.last')));
  return seen.keys.filter((key) => key !== 'out.last');
}

const fail = () => {
  throw new Error('not yet');
};

export const publishesAfter: Theme = (test) => {
  test('an attempt that fails has published nothing; of three attempts, one event comes', async (fx) => {
    const receipts: unknown[] = [];
    const { bus, seen } = await shop(fx, async (context) => {
      receipts.push(await context.publish('out.paid', { attempt: context.attempt }));
      if (context.attempt < 3) fail();
    });
    await bus.publish('order.placed', 1);
    await fx.eventually(() => assert.equal(receipts.length, 3));
    assert.deepEqual(await allSeen(fx, seen), ['out.paid']);
    const { payload, context } = seen.at(0);
    assert.deepEqual(payload, { attempt: 3 });
    const receipt = { messageId: context.messageId, confirmed: false, dueAt: undefined };
    assert.deepEqual(receipts, [receipt, receipt, receipt]);
  });

  test('what it has published waits until it returns, and leaves in the order of the calls', async (fx) => {
    const gate = deferred();
    const published = deferred();
    const { bus, seen } = await shop(fx, async (context) => {
      await context.publish('out.a', 1);
      await context.send('out.b', 2);
      assert.deepEqual(await context.publishMany('out.c', [3, 4]), { count: 2, confirmed: false });
      await context.chain([{ key: 'out.d', payload: 5 }]).dispatch();
      await context.sendMany('out.e', [6]);
      published.resolve();
      await gate.promise;
    });
    await bus.publish('order.placed', 1);
    await published.promise;
    assert.deepEqual(await allSeen(fx, seen), []);
    gate.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 7));
    assert.deepEqual(seen.payloads, [0, 1, 2, 3, 4, 5, 6]);
  });

  for (const [how, end] of Object.entries<(context: MessageContext) => unknown>({
    'is given up': (context) => context.fail('no'),
    'is released': (context) => context.attempt < 2 && context.queue && context.release('1h'),
    'throws what its policy drops': () => {
      throw new RangeError('dropped');
    },
    'has dropped its message, and throws then': (context) => {
      context.discard();
      fail();
    },
  }))
    test(`an attempt that ${how} has published nothing`, async (fx) => {
      const { bus, seen } = await shop(
        fx,
        async (context) => {
          await context.publish('out.paid', 1);
          end(context);
        },
        { retry: { tries: 1, on: [{ error: RangeError, then: 'discard' }] } },
      );
      const ends = watch(bus, 'message.deadLettered', 'message.released', 'message.discarded');
      await bus.publish('order.placed', 1);
      await fx.eventually(() => assert.equal(ends.length, 1));
      assert.deepEqual(await allSeen(fx, seen), []);
    });

  test('an attempt that drops its message has published, as one that is done', async (fx) => {
    const { bus, seen } = await shop(fx, async (context) => {
      await context.publish('out.paid', 1);
      context.discard();
    });
    await bus.publish('order.placed', 1);
    await fx.eventually(() => assert.deepEqual(seen.keys, ['out.paid']));
  });

  test('a handler that runs out of its time has published nothing, and can publish nothing any more', async (fx) => {
    const late: unknown[] = [];
    const gate = deferred();
    const { bus, seen } = await shop(
      fx,
      async (context) => {
        await context.publish('out.paid', 1);
        await gate.promise;
        late.push(await context.publish('out.late', 1).catch((error: unknown) => error));
      },
      { timeout: '100ms', retry: { tries: 1 } },
    );
    const ends = watch(bus, 'message.deadLettered');
    await bus.publish('order.placed', 1);
    await fx.eventually(() => assert.equal(ends.length, 1));
    gate.resolve();
    await fx.eventually(() => assert.equal(late.length, 1));
    assert.ok(late[0] instanceof AttemptOverError, String(late[0]));
    assert.deepEqual(await allSeen(fx, seen), []);
  });

  test('the same message gives the same calls the same ids, whatever they wait for; a call may bring its own', async (fx) => {
    const slow = defineMessage(
      'out.slow',
      z.number().refine(async () => {
        for (let turns = 0; turns < 10; turns += 1) await turn();
        return true;
      }),
    );
    let runs = 0;
    const { bus, seen } = await shop(
      fx,
      async (context) => {
        runs += 1;
        const slowOnes = [context.publish(slow, 0), context.send('out.fast', 1)];
        await Promise.all(runs === 1 ? slowOnes : slowOnes.reverse());
        await context.publishMany('out.many', [2, 3]);
        await context.chain([{ key: 'out.chain', payload: 4 }]).dispatch();
        await context.publish('out.own', 5, { messageId: `own ${context.messageId}` });
        await context.publish('out.end', 6);
      },
      { concurrency: 1 },
    );
    for (const messageId of ['first', 'first', 'second']) await bus.publish('order.placed', 1, { messageId });
    await fx.eventually(() => assert.equal(seen.calls.length, 21));
    const [one, again, other] = [0, 7, 14].map((from) => idsOf(seen).slice(from, from + 7));
    assert.deepEqual(seen.payloads.slice(0, 7), [0, 1, 2, 3, 4, 5, 6]);
    assert.deepEqual(again, one);
    assert.equal(one?.[5], 'own first');
    assert.equal(new Set([...(one ?? []), ...(other ?? [])]).size, 14);
  });

  test('what an attempt that is made again publishes elsewhere has another id, and is no repetition', async (fx) => {
    const kept: string[] = [];
    let runs = 0;
    const office = fx.bus('office');
    office.handle('out.#', (_payload, context) => void kept.push(context.routingKey), {
      ...{ idempotent: {}, concurrency: 1, name: 'Office' },
    });
    await office.start();
    const bus = fx.bus('shop').handle(
      'order.placed',
      async (_payload, context) => {
        runs += 1;
        const way = runs === 1 ? 'reserved' : 'rejected';
        await context.publish(`out.${way}`, 1);
        await context.publishMany(`out.${way}.many`, [1]);
        const rest = { key: `out.${way}.rest`, payload: 1 };
        await context.chain([{ key: 'out.chain', payload: 1 }, rest]).dispatch();
        await context.publish('out.same', 1);
      },
      { ...OPTIONS, concurrency: 1 },
    );
    await bus.start();
    for (let sent = 1; sent <= 2; sent += 1) {
      await bus.publish('order.placed', 1, { messageId: 'one' });
      await fx.eventually(() => assert.equal(runs, sent));
    }
    const expected = ['reserved', 'rejected'].flatMap((way) => [
      `out.${way}`,
      `out.${way}.many`,
      `out.${way}.rest`,
    ]);
    await fx.eventually(() =>
      assert.deepEqual(kept.toSorted(), [...expected, 'out.chain', 'out.chain', 'out.same'].toSorted()),
    );
  });

  for (const publishes of ['now', 'after'] as const)
    test(`what is published ${publishes} is as it was at the call, whatever its caller makes of its objects then`, async (fx) => {
      const seen = fx.recorder();
      await fx.bus('office').handle('out.#', seen.handle, { concurrency: 1 }).start();
      const serializer: Serializer = {
        contentType: 'application/json',
        serialize: (payload) => (Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload))),
        deserialize: (body) => JSON.parse(body.toString()),
      };
      const bus = fx.bus('shop', { serializer });
      const injected = bus.injected();
      bus.handle(
        'order.placed',
        async () => {
          const body = Buffer.from('0');
          const list = [0];
          const headers = { at: 0, list };
          for (let call = 1; call <= 2; call += 1) {
            body.write(String(call));
            headers.at = call;
            list[0] = call;
            await injected.publish('out.one', body, { headers });
            await injected.chain([{ key: 'out.chain', payload: body, headers }]).dispatch();
          }
        },
        { ...OPTIONS, publishes },
      );
      await bus.start();
      await bus.publish('order.placed', 1);
      await fx.eventually(() => assert.equal(seen.calls.length, 4));
      assert.deepEqual(seen.payloads, [1, 1, 2, 2]);
      assert.deepEqual(
        seen.calls.map(({ context: { headers } }) => [headers.at, headers.list]),
        [1, 1, 2, 2].map((call) => [call, [call]]),
      );
    });

  test('the same call of another handler has another id; and of a message without an id any', async (fx) => {
    const { bus, seen } = await shop(fx, (context) => context.publish('out.a', 1));
    const other = fx
      .bus('store')
      .handle('order.placed', (_payload, context) => context.publish('out.b', 1), OPTIONS);
    await other.start();
    await bus.publish('order.placed', 1);
    for (let copies = 0; copies < 2; copies += 1)
      await fx.foreign.publish({ exchange: fx.events, routingKey: 'order.placed', body: '1' });
    await fx.eventually(() => assert.equal(seen.calls.length, 6));
    assert.equal(new Set(idsOf(seen)).size, 6);
    assert.ok(idsOf(seen).every((id) => id !== undefined));
  });

  test('what is wrong with a message fails the call, and takes no other with it', async (fx) => {
    const numbers = defineMessage('out.number', z.number());
    const errors: unknown[] = [];
    const { bus, seen } = await shop(fx, async (context) => {
      const refused = (call: Promise<unknown>) => call.catch((error) => errors.push(error));
      await refused(context.publish(numbers, 'one' as never));
      await refused(context.publish('out.x', 1, { delay: '500d' }));
      await refused(context.publish('out.x', 1, { colour: 'red' } as never));
      await refused(context.publish('out.x', 1, 'red' as never));
      await refused(context.publishMany('out.x', 7 as never));
      await refused(context.publishMany(numbers, [1, 'two' as never, 3]));
      await refused(context.chain([]).dispatch());
    });
    await bus.publish('order.placed', 1);
    await fx.eventually(() => assert.deepEqual(seen.payloads, [1, 3]));
    assert.deepEqual(
      errors.map((error) => (error as Error).name),
      [
        ...['PayloadInvalidError', 'InvalidMessageError', 'OptionsError', 'OptionsError'],
        ...['OptionsError', 'PublishManyError', 'OptionsError'],
      ],
    );
    const failures = (errors[5] as PublishManyError).failures;
    assert.deepEqual(
      failures.map(({ index, error }) => [index, error instanceof PayloadInvalidError]),
      [[1, true]],
    );
  });

  test('an attempt keeps a thousand messages and 16 MiB: a call beyond is refused whole, the others leave', async (fx) => {
    const errors: unknown[] = [];
    const { bus, seen } = await shop(fx, async (context) => {
      const refused = (call: Promise<unknown>) => call.catch((error) => errors.push(error));
      await context.publish('out.first', 1);
      await refused(
        context.publishMany(
          'out.many',
          (function* endless() {
            for (;;) yield 1;
          })(),
        ),
      );
      const large = 'x'.repeat(5_593_000);
      await context.publish('out.large', large);
      await context.publish('out.large', large);
      await refused(context.publish('out.large', large));
      await context.publishMany(
        'out.more',
        Array.from({ length: 997 }, () => 1),
      );
      await refused(context.publish('out.last', 1));
    });
    await bus.publish('order.placed', 1);
    await fx.eventually(() => assert.equal(seen.calls.length, 1_000), { timeout: 20_000 });
    assert.deepEqual([...new Set(seen.keys)], ['out.first', 'out.large', 'out.more']);
    assert.equal(errors.length, 3);
    for (const error of errors) {
      assert.ok(error instanceof PublishNotKeptError, String(error));
      assert.match(error.message, /1000 messages, and 16 MiB/);
    }
  });

  test('a call that the handler does not await belongs to its attempt all the same', async (fx) => {
    const slow = defineMessage(
      'out.slow',
      z.number().refine(() => turn(true)),
    );
    const { bus, seen } = await shop(fx, (context) => {
      void context.publish('out.a', 1);
      void context.publish(slow, 2);
    });
    await bus.publish('order.placed', 1);
    await fx.eventually(() => assert.deepEqual(seen.keys, ['out.a', 'out.slow']));
  });

  for (const [what, call] of Object.entries<(context: MessageContext) => Promise<unknown>>({
    'a call of many': (context) => context.publishMany('out.a', [1]),
    'a chain': (context) => context.chain([{ key: 'out.a', payload: 1 }]).dispatch(),
    'a chain with a failure step': (context) =>
      context
        .chain([{ key: 'out.a', payload: 1 }])
        .onFailure({ key: 'out.failed', payload: 2 })
        .dispatch(),
  }))
    test(`${what} that the handler does not await belongs to its attempt all the same`, async (fx) => {
      const { bus, seen } = await shop(fx, (context) => void call(context));
      await bus.publish('order.placed', 1);
      await fx.eventually(() => assert.deepEqual(seen.payloads, [1]));
    });

  test('a failure step of a chain that waits for its attempt goes with it', async (fx) => {
    const { bus, seen } = await shop(fx, (context) =>
      context
        .chain([{ key: 'in.hopeless', payload: 1 }])
        .onFailure({ key: 'out.failed', payload: 2 })
        .dispatch(),
    );
    const hopeless = fx.bus('hopeless').handle('in.hopeless', fail, { retry: { tries: 1 } });
    await hopeless.start();
    await bus.publish('order.placed', 1);
    await fx.eventually(() => assert.deepEqual(seen.payloads, [2]));
  });

  test('what failed() publishes leaves at once', async (fx) => {
    const { bus, seen } = await shop(
      fx,
      async (context) => {
        await context.publish('out.paid', 1);
        fail();
      },
      {
        retry: { tries: 1 },
        failed: async (_error, _payload, context) => {
          const { confirmed } = await context.publish('out.failed', 1);
          assert.equal(confirmed, true);
        },
      },
    );
    await bus.publish('order.placed', 1);
    await fx.eventually(() => assert.deepEqual(seen.keys, ['out.failed']));
    assert.deepEqual(await fx.deadLetters(fx.name('shop')).then(({ length }) => length), 1);
  });

  test('a part that is done once publishes at once, since the next attempt does not run it again', async (fx) => {
    const { bus, seen } = await shop(fx, async (context) => {
      await context.once('tell', async () => {
        const { confirmed } = await context.publish('out.told', context.attempt);
        return confirmed;
      });
      await context.publish('out.paid', context.attempt);
      if (context.attempt < 2) fail();
    });
    await bus.publish('order.placed', 1);
    await fx.eventually(() => assert.deepEqual(seen.keys, ['out.told', 'out.paid']));
    assert.deepEqual(seen.payloads, [1, 2]);
  });

  test('a send that no queue takes makes its message a dead letter; replayed, it sends again under the same ids', async (fx) => {
    const { bus, seen } = await shop(
      fx,
      async (context) => {
        await context.publish('out.told', 1);
        await context.send('late.job', 2);
      },
      { idempotent: {}, name: 'Place' },
    );
    const ends = watch(bus, 'message.deadLettered');
    await bus.publish('order.placed', 1);
    await fx.eventually(() => assert.equal(ends.length, 1));
    const [{ event } = { event: undefined }] = ends;
    const { reason, error } = event as BusEvents['message.deadLettered'];
    assert.equal(reason, 'publish-refused');
    assert.ok(error instanceof UnroutableError && error.routingKey === 'late.job');
    const late = fx.recorder();
    await fx.bus('late').handle('late.job', late.handle).start();
    const failures = await fx.failures('shop');
    await fx.outcome(failures.retry({ reason: 'publish-refused' }));
    await fx.eventually(() => assert.equal(late.calls.length, 1));
    await fx.eventually(() => assert.deepEqual(seen.keys, ['out.told', 'out.told']));
    assert.equal(new Set(idsOf(seen)).size, 1);
  });

  test('an idempotent handler has published what it is known to have handled', async (fx) => {
    const { bus, seen } = await shop(fx, (context) => context.publish('out.paid', 1), { idempotent: {} });
    const skipped = watch(bus, 'message.skipped');
    for (let copies = 0; copies < 3; copies += 1)
      await bus.publish('order.placed', 1, { messageId: 'the same' });
    await fx.eventually(() => assert.equal(skipped.length, 2));
    assert.deepEqual(await allSeen(fx, seen), ['out.paid']);
  });

  test('what a step of a chain publishes leaves before the next step; if it never can, the chain fails there', async (fx) => {
    const seen = fx.recorder(async ({ routingKey, payload, context }) => {
      if (routingKey === 'out.a') await context.publish('out.told', 1);
      if (payload === 'lost') await context.send('nobody.cares', 1);
    });
    const bus = fx.bus('shop').handle('out.#', seen.handle, { ...OPTIONS, concurrency: 1 });
    await bus.start();
    const steps = (payload: string) => ['out.a', 'out.b'].map((key) => ({ key, payload }));
    await bus.chain(steps('kept')).dispatch();
    await fx.eventually(() => assert.deepEqual(seen.keys, ['out.a', 'out.told', 'out.b']));
    await bus.chain(steps('lost')).onFailure({ key: 'out.failed', payload: 1 }).dispatch();
    await fx.eventually(() => assert.deepEqual(seen.keys.slice(3), ['out.a', 'out.told', 'out.failed']));
    assert.equal(seen.at(5).context.step?.failure?.reason, 'publish-refused');
  });

  test('delays count from the end of the attempt; a unique send that is refused then is dropped, and logged', async (fx) => {
    const { bus, seen } = await shop(fx, async (context) => {
      await context.publish('out.later', 1, { delay: '300ms' });
      const at = new Date(fx.harness.clock.now() + 200);
      const { dueAt } = await context.publish('out.then', 2, { at });
      assert.deepEqual(dueAt, at);
      await context.send('out.unique', 3, { unique: { key: 'k', for: '1h' } });
      await context.send('out.unique', 4, { unique: { key: 'k', for: '1h' } });
    });
    await bus.publish('order.placed', 1);
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
    assert.deepEqual(seen.keys, ['out.unique', 'out.then', 'out.later']);
    const refused = fx.log.filter(({ message }) => message.includes('a unique message was not sent'));
    assert.equal(refused.length, 1);
  });

  test('what is to be encrypted is so at the call, under the id that it will have', async (fx) => {
    const keys = staticKeys({ current: 'k1', keys: { k1: randomBytes(32) } });
    const asked: string[] = [];
    const asking = {
      current: async () => {
        asked.push('current');
        return keys.current();
      },
      find: async (id: string) => keys.find(id),
    };
    const seen = fx.recorder();
    await fx
      .bus('office', { encryption: { keys } })
      .handle('out.#', seen.handle, { encrypted: true })
      .start();
    const bus = fx.bus('shop', { encryption: { keys: asking } });
    bus.handle(
      'order.placed',
      async (_payload, context) => {
        await context.publish('out.a', 'secret', { encrypted: true });
        await context.sendMany('out.b', ['secret'], { encrypted: true });
        await context.chain([{ key: 'out.c', payload: 'secret', encrypted: true }]).dispatch();
        assert.ok(asked.length > 0);
      },
      OPTIONS,
    );
    await bus.start();
    await bus.publish('order.placed', 1);
    await fx.eventually(() => assert.deepEqual(seen.keys.toSorted(), ['out.a', 'out.b', 'out.c']));
    assert.deepEqual(seen.payloads, ['secret', 'secret', 'secret']);
  });

  test('publish middleware wraps the call; what handle middleware publishes with the context is of the attempt', async (fx) => {
    const ids: (string | undefined)[] = [];
    const seen = fx.recorder();
    await fx.bus('office').handle('out.#', seen.handle, { concurrency: 1 }).start();
    const bus = fx.bus('shop', {
      middleware: [
        async (_payload, context, next) => {
          await context.publish('out.before', 1);
          await next();
          if (context.attempt < 2) fail();
        },
        {
          async publish({ routingKey, messageId }, next) {
            ids.push(messageId);
            for (let turns = 0; routingKey === 'out.slow' && turns < 10; turns += 1) await turn();
            return next({ headers: { tenant: 'acme' } });
          },
        },
      ],
    });
    bus.handle(
      'order.placed',
      async (_payload, context) => {
        await Promise.all([context.publish('out.slow', 2), context.publish('out.fast', 3)]);
        await context.publishMany('out.many', [4, 5]);
      },
      OPTIONS,
    );
    await bus.start();
    const other = await fx.publisher();
    await other.publish('order.placed', 1);
    await fx.eventually(() => assert.equal(seen.calls.length, 5));
    assert.deepEqual(seen.payloads, [1, 2, 3, 4, 5]);
    assert.ok(seen.calls.every(({ context }) => context.headers.tenant === 'acme'));
    assert.deepEqual(ids.slice(0, 5), ids.slice(5));
    assert.deepEqual(ids.slice(0, 3), idsOf(seen).slice(0, 3));
  });

  test("a handler's word counts before its queue's, and that before the bus's; an inbox has a way of its own", async (fx) => {
    const seen = fx.recorder();
    await fx.bus('office').handle('out.#', seen.handle).start();
    const bus = fx.bus('shop', { publishes: 'after' });
    const tell = async (_payload: unknown, context: MessageContext) => {
      await context.publish(`out.${context.routingKey}`, 1);
      context.fail('over');
    };
    bus
      .handle('by-bus', tell)
      .handle('by-queue', tell, { queue: { name: fx.name('now'), publishes: 'now' } })
      .handle('by-handler', tell, { queue: { name: fx.name('now') }, publishes: 'after' })
      .handle('by-itself', tell, { publishes: 'now' })
      .handle('each-by-queue', tell, { name: 'Each', each: 'process', queue: { publishes: 'now' } });
    await bus.start();
    const ends = watch(bus, 'message.deadLettered');
    for (const key of ['by-bus', 'by-queue', 'by-handler', 'by-itself', 'each-by-queue'])
      await bus.publish(key, 1);
    await fx.eventually(() => assert.equal(ends.length, 5));
    assert.deepEqual((await allSeen(fx, seen)).toSorted(), [
      'out.by-itself',
      'out.by-queue',
      'out.each-by-queue',
    ]);
    assert.throws(
      () => fx.bus('shop', { publishes: 'later' as never }),
      (error) => error instanceof OptionsError && /publishes to be 'now' or 'after'/.test(error.message),
    );
    const both = fx.bus('shop').handle('k', () => {}, { inbox: {}, publishes: 'now', name: 'Both' });
    assert.throws(() => both.describe(), /Both: expected publishes to be 'after' or left out/);
  });

  test('of a handler of many, each message publishes what its own context says, if it succeeds', async (fx) => {
    const seen = fx.recorder();
    await fx.bus('office').handle('out.#', seen.handle).start();
    const bus = fx.bus('shop').handle(
      'k',
      async (payloads, contexts) => {
        for (const [index, context] of contexts.entries()) await context.publish('out.k', payloads[index]);
        return payloads.map((payload) => (payload === 2 ? new Error('not that') : undefined));
      },
      { ...OPTIONS, bulk: { max: 3, within: '100ms' }, retry: { tries: 1 } },
    );
    const ends = watch(bus, 'message.deadLettered');
    await bus.start();
    await bus.publishMany('k', [1, 2, 3]);
    await fx.eventually(() => assert.equal(ends.length, 1));
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    assert.deepEqual(seen.payloads.toSorted(), [1, 3]);
    await allSeen(fx, seen);
    assert.equal(seen.calls.length, 3);
  });

  test('a responder has published before it replies; if that never can be, its requester is told', async (fx) => {
    const Ask = defineRequest<{ to: string }, string>('ask');
    const seen = fx.recorder();
    await fx.bus('office').handle('out.#', seen.handle, { concurrency: 1 }).start();
    const bus = fx.bus('shop').reply(
      Ask,
      async ({ to }, context) => {
        await context.send(to, 1);
        return 'told';
      },
      { publishes: 'after' },
    );
    await bus.start();
    assert.equal(await fx.outcome(bus.request(Ask, { to: 'out.a' })), 'told');
    await assert.rejects(
      fx.outcome(bus.request(Ask, { to: 'nobody.cares' })),
      (error) => error instanceof ResponderError && error.remote.code === 'HOPLINE_UNROUTABLE',
    );
    assert.deepEqual(await allSeen(fx, seen), ['out.a']);
  });

  test('what is published for copies that each process has is of each', async (fx) => {
    const seen = fx.recorder();
    await fx.bus('office').handle('out.#', seen.handle).start();
    for (const process of [1, 2]) {
      const bus = fx.bus('shop');
      bus.handle('config.changed', (_payload, context) => context.publish('out.cleared', process), {
        ...{ each: 'process', name: 'Clear', publishes: 'after' },
      });
      await bus.start();
    }
    const other = await fx.publisher();
    await other.publish('config.changed', 1);
    await fx.eventually(() => assert.deepEqual(seen.payloads.toSorted(), [1, 2]));
    assert.equal(new Set(idsOf(seen)).size, 2);
  });

  test("what a queue's options say of publishes counts for copies that each process has, too", async (fx) => {
    const seen = fx.recorder();
    await fx.bus('office').handle('out.#', seen.handle).start();
    const tell = async (_payload: unknown, context: MessageContext) => {
      await context.publish(`out.${context.routingKey}`, 1);
      context.fail('over');
    };
    const bus = fx
      .bus('shop')
      .handle('kept', tell, { each: 'process', name: 'Kept', queue: { publishes: 'after' } })
      .handle('at-once', tell, { each: 'process', name: 'AtOnce' });
    await bus.start();
    const ends = watch(bus, 'message.deadLettered');
    for (const key of ['kept', 'at-once']) await bus.publish(key, 1);
    await fx.eventually(() => assert.equal(ends.length, 2));
    assert.deepEqual(await allSeen(fx, seen), ['out.at-once']);
  });
};
