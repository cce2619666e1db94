import assert from 'node:assert/strict';
import { BatchError, defineMessage, OptionsError } from '../../src/index.js';
import { HEADER } from '../../src/message/headers.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { deferred } from '../../src/util/deferred.js';
import { watch } from '../support/bus-fixture.js';
import { all, batchOf, copyOf, failing, jobs, told, worker } from './batch-fixture.js';
import type { Theme } from './theme.js';

export const jobBatches: Theme = (test) => {
  test('the jobs of a batch are handled, and then its callbacks, which know how far it was', async (fx) => {
    const { bus, seen, news } = await worker(fx);
    const events = watch(bus, 'batch.dispatched', 'batch.cancelled', 'batch.finished');
    const batch = all(bus.batch(jobs(20)).name('twenty'));
    await batch.dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['success 20/0/0 of 20', 'end 20/0/0 of 20']));
    assert.deepEqual(
      seen.payloads.toSorted((a, b) => Number(a) - Number(b)),
      jobs(20).map(({ payload }) => payload),
    );
    assert.equal(new Set(seen.calls.map(({ context }) => context.messageId)).size, 20);
    for (const { context, payload } of seen.calls) {
      const { id, number, notification, counts } = batchOf(context);
      assert.deepEqual([id, number, notification, counts], [batch.id, payload, undefined, undefined]);
      assert.equal(context.correlationId, batch.id);
    }
    assert.deepEqual(news.payloads, ['success', 'end']);
    const found = await bus.findBatch(batch.id);
    assert.ok(found?.createdAt instanceof Date && found.finishedAt instanceof Date);
    const { createdAt: _, finishedAt: __, ...status } = found;
    assert.deepEqual(status, {
      id: batch.id,
      name: 'twenty',
      allowsFailures: false,
      total: 20,
      pending: 0,
      done: 20,
      failed: 0,
      skipped: 0,
      progress: 100,
      dispatched: true,
      cancelled: false,
      finished: true,
      verdict: 'success',
    });
    assert.deepEqual(events.map(({ name }) => name).toSorted(), ['batch.dispatched', 'batch.finished']);
    assert.equal(await bus.findBatch('unknown'), undefined);
  });

  test('what is sent for a batch has the words of promises on the wire, whoever has written it', async (fx) => {
    const lookout = fx.bus('lookout').handle('news.#', () => {});
    await lookout.start();
    await fx.stop(lookout);
    const { bus, news } = await worker(fx);
    await all(bus.batch(jobs(1))).dispatch();
    const sent = await fx.taken(fx.name('lookout'), 2);
    const words = sent.map(({ properties }) => JSON.parse(String(properties.headers[HEADER.batch])).news);
    assert.deepEqual(words, ['then', 'finally']);
    await fx.eventually(() => assert.equal(news.calls.length, 2));
    const figures = { total: 3, pending: 0, done: 1, failed: 1, skipped: 1, progress: 100 };
    for (const word of ['then', 'catch', 'finally', 'progress']) {
      const headers = { [HEADER.batch]: JSON.stringify({ v: 1, id: 'another', news: word, figures }) };
      const properties = { headers, messageId: word, contentType: 'application/json' };
      await fx.foreign.publish({ exchange: fx.events, routingKey: 'news.x', body: '1', properties });
    }
    const told = () =>
      news.calls.slice(2).map(({ context }) => [context.messageId, batchOf(context).notification]);
    await fx.eventually(() =>
      assert.deepEqual(told().toSorted(), [
        ['catch', 'failure'],
        ['finally', 'end'],
        ['progress', 'progress'],
        ['then', 'success'],
      ]),
    );
  });

  test('the first failure cancels a batch: what has not begun is skipped, and its dead letter is there', async (fx) => {
    const { bus, seen, news } = await worker(fx, failing(3), { concurrency: 1 });
    const events = watch(bus, 'batch.cancelled', 'message.skipped');
    await all(bus.batch(jobs(10))).dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['failure 3/1/0 of 10', 'end 3/1/6 of 10']));
    assert.deepEqual(seen.payloads, [0, 1, 2, 3]);
    assert.equal((await fx.deadLetter(fx.name('jobs'))).body.toString(), '3');
    assert.equal(events.filter(({ name }) => name === 'batch.cancelled').length, 1);
    assert.equal(events.filter(({ name }) => name === 'message.skipped').length, 6);
  });

  test('a batch that allows failures goes on, and ends well', async (fx) => {
    const { bus, seen, news } = await worker(fx, failing(3, 5));
    await all(bus.batch(jobs(10)))
      .allowFailures()
      .dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['success 8/2/0 of 10', 'end 8/2/0 of 10']));
    assert.equal(seen.calls.length, 10);
    assert.equal((await fx.deadLetters(fx.name('jobs'), 2)).length, 2);
  });

  test('a job that is retried or released has not ended, and one that is discarded is done', async (fx) => {
    const { bus, seen, news } = await worker(
      fx,
      ({ context, payload }) => {
        if (payload === 0 && context.attempt === 1) throw new Error('once more');
        if (payload === 1 && seen.calls.filter((call) => call.payload === 1).length === 1)
          context.release('100ms');
        if (payload === 2) context.discard();
      },
      { retry: { tries: 2, backoff: '100ms' } },
    );
    await all(bus.batch(jobs(3))).dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['success 3/0/0 of 3', 'end 3/0/0 of 3']));
    assert.equal(seen.calls.length, 5);
  });

  test('a chain in a batch is one job: its last step ends it, or the one that fails', async (fx) => {
    const { bus, seen, news } = await worker(fx, failing('bad'));
    const chain = (...payloads: string[]) => payloads.map((payload) => ({ key: 'job', payload }));
    const batch = all(bus.batch([chain('a', 'b', 'c'), chain('x', 'bad', 'never'), ...jobs(1)]));
    await batch.allowFailures().dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['success 2/1/0 of 3', 'end 2/1/0 of 3']));
    assert.deepEqual(seen.payloads.map(String).toSorted(), ['0', 'a', 'b', 'bad', 'c', 'x']);
    const of = (payload: string) => seen.calls.find((call) => call.payload === payload)?.context;
    assert.deepEqual(
      ['a', 'b', 'c'].map((payload) => of(payload)?.batch?.number),
      [0, 0, 0],
    );
    assert.equal(of('c')?.step?.number, 3);
    assert.equal((await fx.deadLetter(fx.name('jobs'))).body.toString(), '"bad"');
  });

  test('jobs add jobs to their batch, which ends with the last of them; run again they add nothing twice', async (fx) => {
    let attempts = 0;
    const { bus, seen, news } = await worker(
      fx,
      async ({ context, payload }) => {
        if (payload !== 0) return;
        await batchOf(context).add(jobs(3).map(() => ({ key: 'job', payload: 'added' })));
        await batchOf(context).add([{ key: 'job', payload: 'last' }]);
        attempts += 1;
        if (attempts === 1) throw new Error('after it has added');
      },
      { retry: { tries: 2, backoff: '100ms' } },
    );
    const batch = all(bus.batch(jobs(2)));
    await batch.dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['success 6/0/0 of 6', 'end 6/0/0 of 6']));
    assert.equal(attempts, 2);
    assert.deepEqual(seen.payloads.filter((payload) => payload === 'added').length, 3);
    const [outside] = news.calls;
    assert.ok(outside);
    await assert.rejects(batchOf(outside.context).add(jobs(1)), BatchError);
  });

  test('a batch is cancelled by whoever asks for it, once; what runs goes on, and can ask', async (fx) => {
    const gate = deferred();
    const asked: boolean[] = [];
    const { bus, seen, news } = await worker(
      fx,
      async ({ context }) => {
        await gate.promise;
        asked.push(await batchOf(context).isCancelled());
      },
      { concurrency: 1 },
    );
    const batch = all(bus.batch(jobs(4)));
    await batch.dispatch();
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    assert.equal(await bus.cancelBatch(batch.id), true);
    assert.equal(await batch.cancel(), false);
    gate.resolve();
    await fx.eventually(() => assert.deepEqual(told(news), ['failure 0/0/0 of 4', 'end 1/0/3 of 4']));
    assert.deepEqual(asked, [true]);
    assert.equal(await bus.cancelBatch(batch.id), false);
    assert.equal(await bus.cancelBatch('unknown'), false);
  });

  test('its progress is sent as it rises', async (fx) => {
    const { bus, news } = await worker(fx);
    await bus.batch(jobs(8)).onProgress({ key: 'news.progress', payload: {} }).dispatch();
    await fx.eventually(() =>
      assert.ok(news.calls.some(({ context }) => batchOf(context).counts?.progress === 100)),
    );
    const percents = news.calls.map(({ context }) => batchOf(context).counts?.progress);
    assert.equal(new Set(percents).size, percents.length);
    const ids = news.calls.map(({ context }) => context.messageId);
    assert.equal(new Set(ids).size, ids.length);
  });

  test('a batch without jobs ends at once, and without callbacks it just ends', async (fx) => {
    const { bus, news } = await worker(fx);
    await all(bus.batch([])).dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['success 0/0/0 of 0', 'end 0/0/0 of 0']));
    const silent = bus.batch(jobs(2));
    await silent.dispatch();
    await fx.eventually(async () => assert.equal((await bus.findBatch(silent.id))?.finished, true));
    assert.equal(news.calls.length, 2);
  });

  test('a callback that can not be sent is an error in the log, and no reason not to send the next', async (fx) => {
    const { bus, news } = await worker(fx);
    fx.expectError(/a notification of a batch cannot be sent/);
    await bus
      .batch(jobs(1))
      .onSuccess({ key: 'nobody.takes', payload: 1 })
      .onEnd({ key: 'news.end', payload: 1 })
      .dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['end 1/0/0 of 1']));
  });

  test('a job that comes again changes nothing, but what was decided with it and not sent is sent', async (fx) => {
    const gate = deferred();
    const { bus, news, store, seen } = await worker(fx, () => gate.promise);
    const batch = all(bus.batch(jobs(1)));
    const sent = store.sent.bind(store);
    let breaks = 2;
    store.sent = async (...given) => {
      if (breaks-- > 0) throw new Error('away');
      return sent(...given);
    };
    await batch.dispatch();
    gate.resolve();
    // The first one was sent once with each try, under the same id.
    await fx.eventually(() => assert.equal(news.calls.length, 4), { timeout: 20_000 });
    assert.deepEqual(
      told(news).map((text) => text.split(' ')[0]),
      ['success', 'success', 'success', 'end'],
    );
    assert.equal(new Set(news.calls.slice(0, 3).map(({ context }) => context.messageId)).size, 1);
    assert.equal(seen.calls.length, 1);
    assert.deepEqual((await store.find(batch.id))?.unsent, []);
  });

  test('while the store is away a job comes back later, which is no try', async (fx) => {
    const { bus, news, store, seen } = await worker(fx);
    const released = watch(bus, 'message.released');
    const begin = store.begin.bind(store);
    let isAway = true;
    store.begin = async (...given) => {
      if (isAway) throw new Error('away');
      return begin(...given);
    };
    await all(bus.batch(jobs(2))).dispatch();
    await fx.eventually(() => assert.equal(released.length, 2));
    isAway = false;
    await fx.eventually(() => assert.deepEqual(told(news), ['success 2/0/0 of 2', 'end 2/0/0 of 2']), {
      timeout: 20_000,
    });
    assert.deepEqual(seen.attempts, [1, 1]);
  });

  test('a replay of a job that had failed counts as done, and is not skipped for the failure', async (fx) => {
    let isBroken = true;
    const { bus, news, seen } = await worker(fx, ({ payload }) => {
      if (isBroken && payload === 0) throw new Error('not yet');
    });
    const batch = all(bus.batch(jobs(1)));
    await batch.dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['failure 0/1/0 of 1', 'end 0/1/0 of 1']));
    const failures = await fx.failures('jobs');
    await fx.eventually(async () => assert.equal((await failures.count())[0]?.count, 1));
    assert.deepEqual(await failures.list({ batch: 'another' }), []);
    isBroken = false;
    await fx.outcome(failures.retry({ batch: batch.id }));
    await fx.eventually(async () => assert.equal((await bus.findBatch(batch.id))?.done, 1));
    assert.deepEqual(seen.payloads, [0, 0]);
    const status = await bus.findBatch(batch.id);
    assert.deepEqual([status?.failed, status?.verdict, news.calls.length], [0, 'failure', 2]);
  });

  for (const [how, idempotent] of [
    ['its id', {}],
    ['a key of its own', { by: (payload: unknown) => `step ${payload}` }],
  ] as const)
    test(`a step that is idempotent, known by ${how}, and comes again does not end the job that its chain is`, async (fx) => {
      const seen = fx.recorder();
      const news = fx.recorder();
      const bus = fx
        .bus('worker', { stores: memoryStores(fx.harness.clock) })
        .handle('job', seen.handle, { queue: fx.name('jobs'), idempotent })
        .handle('news.#', news.handle, { queue: fx.name('news') });
      const skipped = watch(bus, 'message.skipped');
      const confirmed = watch(bus, 'message.confirmed');
      await bus.start();
      const batch = all(bus.batch([[...jobs(1), { key: 'job', payload: 'last', delay: '1s' }]]));
      await batch.dispatch();
      // The first step, and the next, with which the first is remembered as handled.
      await fx.eventually(() => assert.equal(confirmed.length, 2));
      assert.equal(seen.calls.length, 1);
      await copyOf(fx, seen);
      await fx.eventually(() => assert.equal(skipped.length, 1));
      assert.equal((await bus.findBatch(batch.id))?.pending, 1);
      await fx.eventually(() => assert.deepEqual(told(news), ['success 1/0/0 of 1', 'end 1/0/0 of 1']));
      assert.deepEqual(seen.payloads, [0, 'last']);
    });

  for (const how of ['discard', 'replace'] as const)
    test(`a step that is idempotent, ends its chain by ${how} and comes again before that is told ends its job`, async (fx) => {
      const stores = memoryStores(fx.harness.clock);
      const gate = deferred();
      let finished = 0;
      // As of a process that dies when it has recorded that the step is handled.
      const finish: typeof stores.idempotency.finish = async (...given) => {
        const isFinished = await stores.idempotency.finish(...given);
        finished += 1;
        await gate.promise;
        return isFinished;
      };
      const idempotency = Object.assign(Object.create(stores.idempotency), { finish });
      const seen = fx.recorder(({ context }) => {
        if (how === 'discard') context.discard();
        else context.step?.replace([]);
      });
      const news = fx.recorder();
      const bus = fx
        .bus('worker', { stores: { ...stores, idempotency } })
        .handle('job', seen.handle, { queue: fx.name('jobs'), idempotent: {} })
        .handle('news.#', news.handle, { queue: fx.name('news') });
      await bus.start();
      await all(bus.batch([jobs(2)])).dispatch();
      await fx.eventually(() => assert.equal(finished, 1));
      await copyOf(fx, seen);
      await fx.eventually(() => assert.deepEqual(told(news), ['success 1/0/0 of 1', 'end 1/0/0 of 1']));
      assert.deepEqual(seen.payloads, [0]);
      gate.resolve();
    });

  test('a place in a batch that can not be read is a dead letter before its handler runs', async (fx) => {
    const { seen } = await worker(fx);
    const headers = { [HEADER.batch]: '{"v":2}' };
    await fx.foreign.publish({
      exchange: fx.events,
      routingKey: 'job',
      body: '1',
      properties: { headers },
    } as never);
    const letter = await fx.deadLetter(fx.name('jobs'));
    assert.equal(letter.properties.headers?.[HEADER.reason], 'undecodable');
    assert.equal(seen.calls.length, 0);
  });

  test('what is wrong with a batch shows before anything is sent', async (fx) => {
    const { bus, seen } = await worker(fx);
    const bare = fx.bus('bare', {
      stores: { ...memoryStores(fx.harness.clock), batches: undefined as never },
    });
    await bare.start();
    await assert.rejects(bare.batch(jobs(1)).dispatch(), OptionsError);
    await assert.rejects(bus.batch(7 as never).dispatch(), OptionsError);
    await assert.rejects(bus.batch(jobs(1)).name('').dispatch(), OptionsError);
    await assert.rejects(bus.batch(jobs(1)).name('a\0').dispatch(), OptionsError);
    await assert.rejects(bus.batch([{ key: 'job', payload: 1n }]).dispatch());
    await assert.rejects(bus.batch(jobs(1)).onEnd({ key: 'a.*', payload: 1 }).dispatch());
    assert.throws(
      () => bus.batch(jobs(1), { keep: 'long' as never, id: 'a\n', more: 1 } as never),
      (error) => {
        assert.ok(error instanceof OptionsError);
        assert.match(error.message, /keep/);
        assert.match(error.message, /unknown option more/);
        return true;
      },
    );
    assert.equal(seen.calls.length, 0);
    const typed = defineMessage<number>('job');
    await bus.batch([{ definition: typed, payload: 1 }]).dispatch();
    await fx.eventually(() => assert.deepEqual(seen.payloads, [1]));
  });
};
