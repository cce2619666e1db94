import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  InvalidMessageError,
  type MessageContext,
  NoMessageIdError,
  NotResumableError,
  ShutdownError,
  type Stores,
  staticKeys,
} from '../../src/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, type Call, watch } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

type Progress = { part: number };

/** Does a job of so many parts, one in each attempt. */
const inParts =
  (parts: number, done: unknown[]) =>
  (payload: unknown, context: MessageContext<Progress>): Promise<void> | undefined => {
    const part = (context.state?.part ?? 0) + 1;
    done.push(`${payload} ${part}`);
    return part < parts ? context.yield({ part }) : undefined;
  };

/** Stores of several processes, and what has been asked of their checkpoints. */
function sharedStores(fx: BusFixture): { stores: Stores; asked: string[]; states: Map<string, string> } {
  const asked: string[] = [];
  const states = new Map<string, string>();
  const checkpoints: Stores['checkpoints'] = {
    load: async (key) => {
      asked.push('load');
      return states.get(key);
    },
    save: async (key, state) => {
      asked.push('save');
      states.set(key, state);
      return true;
    },
    forget: async (key) => {
      asked.push('forget');
      states.delete(key);
    },
  };
  return { stores: { ...memoryStores(fx.harness.clock), checkpoints }, asked, states };
}

/** True if all states are those of messages that have ended: they are kept for some minutes alone. */
const areOver = (states: Map<string, string>) =>
  [...states.values()].every((state) => 'over' in JSON.parse(state));

export const resuming: Theme = (test) => {
  test('a job goes on from what it has yielded, with no try used, and others have its slot meanwhile', async (fx) => {
    const { stores, states, asked } = sharedStores(fx);
    const done: unknown[] = [];
    const seen = fx.recorder(({ payload, context }) => inParts(3, done)(payload, context));
    const bus = fx
      .bus('worker', { stores, concurrency: 1 })
      .handle('job', seen.handle, { resumable: true, retry: { tries: 1 } });
    const events = watch(bus, 'message.released', 'handler.failed');
    await bus.start();
    await bus.send('job', 'a');
    await bus.send('job', 'b');
    await fx.eventually(() => assert.equal(done.length, 6));
    assert.deepEqual(done.slice(0, 2), ['a 1', 'b 1']);
    assert.deepEqual(done.toSorted(), ['a 1', 'a 2', 'a 3', 'b 1', 'b 2', 'b 3']);
    assert.deepEqual(seen.attempts, [1, 1, 1, 1, 1, 1]);
    assert.deepEqual(
      events.map(({ name }) => name),
      Array(4).fill('message.released'),
    );
    await fx.eventually(() => assert.ok(areOver(states), 'the state of what is done is kept on'));
    const times = (what: string) => asked.filter((each) => each === what).length;
    assert.deepEqual([times('load'), times('save'), times('forget')], [4, 6, 0], 'a fresh message has none');
  });

  test('what ends a job is not ended by a part of it: its idempotence, its unique key, its chain, its batch', async (fx) => {
    const done: unknown[] = [];
    const onced: unknown[] = [];
    const bus = fx.bus('worker');
    const work = inParts(3, done);
    bus.handle(
      'job',
      async (payload, context) => {
        await context.once('first', () => void onced.push(payload));
        if (context.state) assert.deepEqual(context.state, { part: context.state.part });
        // Refused while a part of it waits for the next.
        if (payload === 'unique' && context.state)
          await assert.rejects(bus.send('job', 'unique', { unique: { key: 'k' } }), /k/);
        await work(payload, context);
      },
      { resumable: true, idempotent: {} },
    );
    const after = fx.recorder();
    bus.handle('after', after.handle);
    await bus.start();
    await bus.send('job', 'unique', { unique: { key: 'k' } });
    await bus
      .chain([
        { key: 'job', payload: 'chained' },
        { key: 'after', payload: 1 },
      ])
      .dispatch();
    const batch = bus.batch([{ key: 'job', payload: 'of a batch' }]).onEnd({ key: 'after', payload: 2 });
    await batch.dispatch();
    await fx.eventually(() => assert.deepEqual(after.payloads.toSorted(), [1, 2]));
    await fx.eventually(() => assert.equal(done.length, 9));
    assert.deepEqual(onced.toSorted(), ['chained', 'of a batch', 'unique']);
    const found = await bus.findBatch(batch.id);
    assert.deepEqual([found?.done, found?.total], [1, 1]);
  });

  test('a state outlives failures, and a dead letter, whose replay goes on from it', async (fx) => {
    const { stores, states } = sharedStores(fx);
    let isMended = false;
    const found: unknown[] = [];
    const told: unknown[] = [];
    const bus = fx.bus('worker', { stores }).handle(
      'job',
      async (_payload, context: MessageContext<Progress>) => {
        found.push(context.state);
        if (isMended) return;
        await context.checkpoint({ part: (context.state?.part ?? 0) + 1 });
        throw new Error('no luck');
      },
      {
        resumable: true,
        retry: { tries: 2, backoff: '100ms' },
        failed: async (_error, _payload, context: MessageContext<Progress>) => {
          told.push(context.state?.part);
          await context.yield({ part: 9 });
        },
      },
    );
    await bus.start();
    await bus.send('job', 1, { messageId: 'j' });
    const failures = await fx.failures('worker');
    await fx.eventually(async () => assert.equal((await failures.list()).length, 1));
    assert.deepEqual(found, [undefined, { part: 1 }]);
    assert.deepEqual(told, [2]);
    isMended = true;
    assert.equal((await failures.retry({})).done, 1);
    await fx.eventually(() => assert.deepEqual(found, [undefined, { part: 1 }, { part: 2 }]));
    await fx.eventually(() => assert.ok(areOver(states)));
  });

  test('a stop fires the signal of a resumable handler at once: it hands over, and the next process goes on', async (fx) => {
    const { stores } = sharedStores(fx);
    const reasons: unknown[] = [];
    const untilSignal = ({ context }: Call) =>
      new Promise<void>((resolve) => {
        context.signal.addEventListener('abort', () => {
          reasons.push(context.signal.reason);
          resolve();
        });
      });
    const other = deferred();
    const first = fx.recorder(async (call) => {
      if (call.payload === 'other') return other.promise;
      await untilSignal(call);
      if (call.payload === 'thrown') {
        await call.context.checkpoint({ part: 1 });
        throw call.context.signal.reason;
      }
      await call.context.yield({ part: 2 });
    });
    const options = { resumable: true } as const;
    const bus = fx
      .bus('worker', { stores })
      .handle('job', first.handle, options)
      .handle('other', first.handle);
    const failed = watch(bus, 'handler.failed');
    await bus.start();
    await bus.send('job', 'thrown');
    await bus.send('job', 'yielded');
    await bus.send('other', 'other');
    await fx.eventually(() => assert.equal(first.calls.length, 3));
    const stopping = bus.stop();
    await fx.eventually(() => assert.equal(reasons.length, 2));
    assert.ok(reasons.every((reason) => reason instanceof ShutdownError));
    const isOther = ({ payload }: Call) => payload === 'other';
    assert.equal(first.calls.find(isOther)?.context.signal.aborted, false, 'it is to end by itself');
    other.resolve();
    await fx.outcome(stopping);
    assert.equal(failed.length, 1, 'what has thrown');

    const second = fx.recorder();
    await fx.bus('worker', { stores }).handle('job', second.handle, options).start();
    await fx.eventually(() => assert.equal(second.calls.length, 2));
    const found = second.calls.map(({ payload, context }) => `${payload} ${context.state.part}`);
    assert.deepEqual(found.toSorted(), ['thrown 1', 'yielded 2']);
    assert.deepEqual(new Set(second.attempts), new Set([1]));
  });

  test('states are stored in their order, also if nobody awaits them; a yield that fails is a failed attempt', async (fx) => {
    const { stores, states } = sharedStores(fx);
    let isAway = false;
    const { save } = stores.checkpoints as NonNullable<Stores['checkpoints']>;
    Object.assign(stores.checkpoints as object, {
      save: async (...given: Parameters<typeof save>) => {
        if (isAway) throw new Error('the store is away');
        // The first is the slowest.
        if (given[1].includes('first')) await new Promise((resolve) => setImmediate(resolve));
        return save(...given);
      },
    });
    const found: unknown[] = [];
    const bus = fx.bus('worker', { stores }).handle(
      'job',
      (_payload, context) => {
        found.push(`${context.attempt} ${context.state}`);
        if (context.attempt === 2) {
          isAway = false;
          return;
        }
        isAway = context.state === 'second';
        void context.yield(isAway ? 'third' : 'first');
        if (!isAway) void context.checkpoint('second');
      },
      { resumable: true, retry: { tries: 2, backoff: '100ms' } },
    );
    const failed = watch(bus, 'handler.failed');
    await bus.start();
    await bus.send('job', 1);
    await fx.eventually(() => assert.deepEqual(found, ['1 undefined', '1 second', '2 second']));
    assert.equal(failed.length, 1);
    await fx.eventually(() => assert.ok(areOver(states)));
  });

  test('a job that runs under leases has another one for each part, and keeps its state under it', async (fx) => {
    const { checkpoints, ...stores } = memoryStores(fx.harness.clock);
    const fences: number[] = [];
    const fencing: NonNullable<Stores['checkpoints']> = Object.assign(Object.create(checkpoints as object), {
      save: (...given: [key: string, state: string, fence: number, keepMs: number]) => {
        fences.push(given[2]);
        return checkpoints?.save(...given);
      },
    });
    const done: unknown[] = [];
    const bus = fx.bus('worker', { stores: { ...stores, isOfProcess: false, checkpoints: fencing } });
    bus.handle('job', inParts(3, done), { resumable: true, long: true });
    await bus.start();
    await bus.send('job', 'a');
    await fx.eventually(() => assert.deepEqual(done, ['a 1', 'a 2', 'a 3']));
    await fx.eventually(() => assert.equal(fences.length, 3, 'two parts, and the end'));
    const [first = 0, second = 0, third = 0] = fences;
    assert.ok(first > 0 && second > first && third > second, fences.join());
  });

  test('a job that an operator cancels ends with its next yield, and its replay goes on from that', async (fx) => {
    const found: unknown[] = [];
    const bus = fx.bus('worker').handle(
      'job',
      async (_payload, context) => {
        found.push(context.state);
        if (context.state) return;
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
        await context.yield('half');
      },
      { resumable: true },
    );
    await bus.start();
    await bus.send('job', 1, { messageId: 'j' });
    await fx.eventually(() => assert.equal(found.length, 1));
    const control = await fx.control();
    assert.equal((await fx.outcome(control.cancel('j'))).length, 1);
    const failures = await fx.failures('worker');
    await fx.eventually(async () => {
      assert.deepEqual(
        (await failures.list()).map(({ reason }) => reason),
        ['cancelled'],
      );
    });
    await failures.retry({});
    await fx.eventually(() => assert.deepEqual(found, [undefined, 'half']));
  });

  test('the sending of a moved job that counts keeps its state when the older one arrives', async (fx) => {
    const { stores } = sharedStores(fx);
    const states: unknown[] = [];
    const bus = fx.bus('worker', { stores }).handle(
      'job',
      async (_payload, context) => {
        states.push(context.state);
        if (context.state) return;
        await context.checkpoint({ part: 1 });
        throw new Error('once more');
      },
      { resumable: true, retry: { tries: 2, backoff: '1500ms' } },
    );
    const skipped = watch(bus, 'message.skipped');
    await bus.start();
    await bus.send('job', 'a', { name: 'import', delay: '800ms' });
    await bus.reschedule('import', '100ms');
    await fx.eventually(() => assert.deepEqual([states.length, skipped.length], [1, 1]));
    await fx.eventually(() => assert.deepEqual(states, [undefined, { part: 1 }]));
  });

  test('the first decision counts, and a yield after it keeps its state', async (fx) => {
    const seen = fx.recorder(async ({ context }) => {
      context.fail('enough');
      await context.yield({ part: 1 });
    });
    const { stores, states } = sharedStores(fx);
    await fx.bus('worker', { stores }).handle('job', seen.handle, { resumable: true }).start();
    await (await fx.publisher()).send('job', 1);
    await fx.deadLetter(fx.name('worker'));
    assert.equal(seen.calls.length, 1);
    assert.equal(states.size, 1);
  });

  test('a handler of many keeps a state of each message', async (fx) => {
    const calls: unknown[] = [];
    const bus = fx.bus('worker').handle(
      'job',
      async (payloads: number[], contexts: MessageContext<Progress>[]) => {
        for (const [index, context] of contexts.entries()) {
          calls.push(`${payloads[index]} ${context.state?.part}`);
          if (!context.state && payloads[index] !== 3)
            await context.yield({ part: payloads[index] as number });
        }
      },
      { bulk: { max: 3 }, resumable: true },
    );
    await bus.start();
    for (const number of [1, 2, 3]) await bus.send('job', number);
    await fx.eventually(() => assert.equal(calls.length, 5));
    assert.deepEqual(calls.toSorted(), ['1 1', '1 undefined', '2 2', '2 undefined', '3 undefined']);
  });

  test('the state of an encrypted message is encrypted, and that of another is not taken for it', async (fx) => {
    const { stores, states } = sharedStores(fx);
    const encryption = { keys: staticKeys({ current: 'k', keys: { k: randomBytes(32) } }) };
    const found: unknown[] = [];
    const bus = fx.bus('clinic', { stores, encryption }).handle(
      'patient',
      async (payload, context) => {
        found.push(context.state);
        if (!context.state) await context.yield({ of: payload });
      },
      { resumable: true, retry: { tries: 1 } },
    );
    await bus.start();
    const swap = new Promise<string>((resolve) => {
      bus.on('message.released', () => resolve([...states.values()].join()));
    });
    await bus.send('patient', 'a cough', { encrypted: true, messageId: 'first' });
    const stored = await swap;
    await fx.eventually(() => assert.deepEqual(found, [undefined, { of: 'a cough' }]));
    assert.ok(stored.length > 0 && !stored.includes('cough') && !stored.includes('"state"'));
    await fx.eventually(() => assert.ok(areOver(states)));
    bus.on('message.released', () => {
      for (const key of states.keys()) states.set(key, stored);
    });
    await bus.send('patient', 'a cold', { encrypted: true, messageId: 'second' });
    const letter = await fx.deadLetter(fx.name('clinic'));
    assert.match(String(letter.properties.headers['hopline-error']), /decrypt/);
    assert.equal(found.length, 3);
  });

  test('what can not be kept is an error that says what to do, and the attempt goes on', async (fx) => {
    const errors: unknown[] = [];
    const caught = (given: unknown) => Promise.resolve(given).catch((error) => void errors.push(error));
    const bus = fx.bus('worker');
    bus.handle('plain', async (_payload, context) => {
      await caught(context.checkpoint(1));
      await caught(context.yield(1));
      assert.throws(() => context.state, /context.state needs a resumable handler, and 'plain' is none/);
    });
    bus.handle(
      'job',
      async (_payload, context) => {
        await caught(context.checkpoint('x'.repeat(262_143)));
        await caught(context.yield(() => {}));
        await caught(context.checkpoint(undefined));
      },
      { resumable: true },
    );
    bus.handle('foreign', async (_payload, context) => caught(context.yield(1)), { resumable: true });
    const succeeded = watch(bus, 'handler.succeeded', 'message.released');
    await bus.start();
    await bus.send('plain', 1);
    await bus.send('job', 1);
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'foreign', body: '1' });
    await fx.eventually(() => assert.equal(succeeded.length, 3));
    assert.ok(succeeded.every(({ name }) => name === 'handler.succeeded'));
    const kinds = errors.map((error) => (error as Error).constructor);
    const count = (kind: unknown) => kinds.filter((each) => each === kind).length;
    const counts = [count(NotResumableError), count(InvalidMessageError), count(NoMessageIdError)];
    assert.deepEqual(counts, [2, 3, 1]);
    assert.ok(errors.some((error) => /262145 bytes: 262144 are the most/.test((error as Error).message)));
  });
};
