import assert from 'node:assert/strict';
import {
  type BatchContext,
  BatchError,
  defineMessage,
  OptionsError,
  PublishManyError,
  UnrecoverableError,
} from '../../src/index.js';
import { HEADER } from '../../src/message/headers.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { deferred } from '../../src/util/deferred.js';
import { watch } from '../support/bus-fixture.js';
import { all, batchOf, jobs, told, worker } from './batch-fixture.js';
import type { Theme } from './theme.js';

/** Two jobs more, of which the second can't be sent. */
const addTwo = (batch: BatchContext) =>
  assert.rejects(
    batch.add([
      { key: 'job', payload: 'added' },
      { key: 'nobody.takes', payload: 1 },
    ]),
    PublishManyError,
  );

/** What is done again: by a job that is retried, by a step of a chain, or by whoever dispatches a second time. */
export const jobBatchesAgain: Theme = (test) => {
  test('what a job could not add counts as failed when that job is over', async (fx) => {
    const { bus, news } = await worker(fx, async ({ context, payload }) => {
      if (payload === 0)
        await batchOf(context)
          .add([
            { key: 'job', payload: 'added' },
            { key: 'nobody.takes', payload: 1 },
          ])
          .catch((error) => assert.ok(error instanceof PublishManyError));
    });
    await all(bus.batch(jobs(1)))
      .allowFailures()
      .dispatch();
    await fx.eventually(() => assert.equal(news.calls.length, 2));
    assert.match(told(news)[1] as string, /end 2\/1\/0 of 3/);
  });

  test('a job that its definition or its handler says to be unique is refused: it would be sent beside others', async (fx) => {
    const sync = defineMessage('product.sync', undefined, { unique: {} });
    const { bus, seen } = await worker(fx);
    const shop = fx.bus('shop').handle('own', seen.handle, { unique: {} });
    await shop.start();
    await assert.rejects(bus.batch([{ definition: sync, payload: 1 }]).dispatch(), (error) => {
      assert.ok(error instanceof OptionsError);
      assert.match(error.message, /expected 'product\.sync' not to be unique, as its definition says/);
      return true;
    });
    await assert.rejects(
      shop.batch([{ key: 'own', payload: 1 }]).dispatch(),
      /expected 'own' not to be unique, as its handler says/,
    );
    await shop.send('own', 'alone');
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['alone']));
  });

  test('jobs may be made while they are sent, and a batch that is dispatched again goes on where it was', async (fx) => {
    const { bus, seen, news } = await worker(fx);
    let breaks = true;
    async function* many() {
      for (let payload = 0; payload < 1_200; payload += 1) {
        if (payload === 1_100 && breaks) throw new Error('the source broke');
        yield { key: 'job', payload };
      }
    }
    const id = fx.name('import');
    await assert.rejects(all(bus.batch(many(), { id })).dispatch(), /the source broke/);
    await fx.eventually(() => assert.equal(seen.calls.length, 1_000));
    assert.deepEqual(
      [(await bus.findBatch(id))?.dispatched, (await bus.findBatch(id))?.finished],
      [false, false],
    );
    breaks = false;
    await all(bus.batch(many(), { id })).dispatch();
    await fx.eventually(() =>
      assert.deepEqual(told(news), ['success 1200/0/0 of 1200', 'end 1200/0/0 of 1200']),
    );
    assert.equal(seen.calls.length, 1_200);
    await assert.rejects(bus.batch(jobs(7), { id }).dispatch(), BatchError);
  });

  test('a job that can not be sent fails the dispatch, and the batch does not end until it is', async (fx) => {
    const { bus, news, stores } = await worker(fx);
    const id = fx.name('import');
    const given = [...jobs(1), { key: 'nobody.takes', payload: 1 }];
    await assert.rejects(all(bus.batch(given, { id })).dispatch(), (error) => {
      assert.ok(error instanceof PublishManyError);
      assert.deepEqual(
        error.failures.map(({ index }) => index),
        [1],
      );
      return true;
    });
    await fx.eventually(async () => assert.equal((await bus.findBatch(id))?.done, 1));
    assert.equal(news.calls.length, 0);
    const late = fx.bus('late', { stores }).handle('nobody.takes', () => {});
    await late.start();
    await all(bus.batch(given, { id })).dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['success 2/0/0 of 2', 'end 2/0/0 of 2']));
    assert.throws(() => bus.batch(jobs(1), { id: '' }), OptionsError);
  });

  test('what a step of a chain could not add counts as failed when the chain is over', async (fx) => {
    const { bus, news } = await worker(fx, async ({ context, payload }) => {
      if (payload === 'first') await addTwo(batchOf(context));
      else if (payload === 'second') assert.equal((await batchOf(context).find())?.failed, 0);
    });
    const chain = ['first', 'second'].map((payload) => ({ key: 'job', payload }));
    await all(bus.batch([chain]))
      .allowFailures()
      .dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['success 2/1/0 of 3', 'end 2/1/0 of 3']));
  });

  test('what a job could not add is skipped with it, if its batch is cancelled before it is tried again', async (fx) => {
    const added = deferred();
    const { bus, news } = await worker(
      fx,
      async ({ context, payload }) => {
        if (payload === 0) {
          await addTwo(batchOf(context));
          added.resolve();
          throw new Error('not all are added');
        }
        if (payload === 1) await added.promise;
        if (payload === 1) throw new UnrecoverableError('the batch ends here');
      },
      { retry: { tries: 2, backoff: '1s' } },
    );
    await all(bus.batch(jobs(2))).dispatch();
    await fx.eventually(() => assert.match(told(news)[1] ?? '', /^end \d\/1\/\d of 4$/));
    assert.equal(news.calls.length, 2);
  });

  test('what a job could not add counts as failed, though the last of its attempts does not come that far', async (fx) => {
    const { bus, news } = await worker(
      fx,
      async ({ context, payload }) => {
        if (payload !== 0) return;
        if (context.attempt > 1) throw new UnrecoverableError('away');
        await addTwo(batchOf(context));
        throw new Error('not all are added');
      },
      { retry: { tries: 2, backoff: '100ms' } },
    );
    await all(bus.batch(jobs(1)))
      .allowFailures()
      .dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['success 1/2/0 of 3', 'end 1/2/0 of 3']));
  });

  test('a dispatch that is repeated sends what was not sent, and a job that is sent again is not run again', async (fx) => {
    const { bus, news, seen, store, stores } = await worker(fx);
    const skipped = watch(bus, 'message.skipped');
    const id = fx.name('import');
    const given = [...jobs(3), { key: 'nobody.takes', payload: 3 }];
    await assert.rejects(all(bus.batch(given, { id })).dispatch(), PublishManyError);
    await fx.eventually(async () => assert.equal((await bus.findBatch(id))?.done, 3));
    await assert.rejects(all(bus.batch(given, { id })).dispatch(), PublishManyError);
    const late = fx.bus('late', { stores }).handle('nobody.takes', () => {});
    await late.start();
    // As if whoever has sent them had died before the store knew of it.
    const reserve = store.reserve.bind(store);
    store.reserve = async (...asked) => {
      const answer = await reserve(...asked);
      return typeof answer === 'object' ? { ...answer, unsent: [0, 1, 2, 3] } : answer;
    };
    await all(bus.batch(given, { id })).dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['success 4/0/0 of 4', 'end 4/0/0 of 4']));
    await fx.eventually(() => assert.equal(skipped.length, 3));
    assert.deepEqual(seen.payloads.length, 3);
  });

  test('a batch that is dispatched again with more jobs, or fewer, is an error, and not one that ends without them', async (fx) => {
    const { bus, news, seen } = await worker(fx);
    const id = fx.name('import');
    await all(bus.batch(jobs(500), { id })).dispatch();
    await fx.eventually(() => assert.equal(news.calls.length, 2));
    const again = (count: number) => all(bus.batch(jobs(count), { id })).dispatch();
    await assert.rejects(again(900), /was given 500 jobs before, and now more/);
    await assert.rejects(again(0), /was given 500 jobs before, and now 0/);
    await again(500);
    assert.equal(seen.calls.length, 500);
    assert.equal(news.calls.length, 2);
  });

  test('a generator that is used up makes no batch that ends without the rest', async (fx) => {
    const { bus, news, store } = await worker(fx);
    const reserve = store.reserve.bind(store);
    let asked = 0;
    store.reserve = async (...given) => {
      asked += 1;
      if (asked === 2) throw new Error('away');
      return reserve(...given);
    };
    const batch = all(bus.batch(jobs(600).values()));
    await assert.rejects(batch.dispatch(), /away/);
    await assert.rejects(batch.dispatch(), OptionsError);
    await fx.eventually(async () => assert.equal((await bus.findBatch(batch.id))?.done, 500));
    assert.equal((await bus.findBatch(batch.id))?.dispatched, false);
    await all(bus.batch(jobs(600).values(), { id: batch.id })).dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['success 600/0/0 of 600', 'end 600/0/0 of 600']));
  });

  test('a batch that is cancelled while it is dispatched takes no more jobs, and ends without the rest', async (fx) => {
    const { bus, news } = await worker(fx);
    const id = fx.name('import');
    async function* many() {
      for (const [index, job] of jobs(600).entries()) {
        if (index === 550) await bus.cancelBatch(id);
        yield job;
      }
    }
    await all(bus.batch(many(), { id })).dispatch();
    await fx.eventually(() => assert.match(told(news)[1] ?? '', /^end \d+\/0\/\d+ of 500$/));
  });

  test('a job that is replayed when its batch is over is told so if it adds others', async (fx) => {
    let isBroken = true;
    const refused: unknown[] = [];
    const { bus, news } = await worker(fx, async ({ context }) => {
      if (isBroken) throw new UnrecoverableError('not yet');
      await batchOf(context)
        .add(jobs(1))
        .catch((error) => refused.push(error.message));
    });
    const batch = all(bus.batch(jobs(1))).allowFailures();
    await batch.dispatch();
    await fx.eventually(() => assert.equal(news.calls.length, 2));
    const failures = await fx.failures('jobs');
    await fx.eventually(async () => assert.equal((await failures.count())[0]?.count, 1));
    isBroken = false;
    await fx.outcome(failures.retry({ batch: batch.id }));
    await fx.eventually(() => assert.match(String(refused[0]), /^all jobs of batch '.*' have ended/));
  });

  test('a job is a message like any other to a bus that has no store of batches, and the log says so', async (fx) => {
    const stores = memoryStores(fx.harness.clock);
    const { store } = await worker(fx);
    const bare = fx.bus('bare', { stores: { ...stores, batches: undefined as never } });
    const seen = fx.recorder(({ context }) => {
      if (context.attempt === 1) throw new UnrecoverableError('never');
    });
    await bare.handle('bare.job', seen.handle, { queue: fx.name('bare') }).start();
    const client = fx.bus('client', { stores: { ...stores, batches: store } });
    await client.start();
    await client.batch([{ key: 'bare.job', payload: 1 }]).dispatch();
    const letter = await fx.deadLetter(fx.name('bare'));
    assert.equal(letter.properties.headers?.[HEADER.reason], 'unrecoverable');
    assert.equal(seen.calls.length, 1);
  });
};
