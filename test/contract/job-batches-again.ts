import assert from 'node:assert/strict';
import { type BatchContext, PublishManyError, UnrecoverableError } from 'hopline';
import { deferred } from '../../src/util/deferred.js';
import { watch } from '../support/bus-fixture.js';
import { all, batchOf, jobs, told, worker } from './batch-fixture.js';
import type { Theme } from './transport-contract.js';

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
  test('what a step of a chain could not add counts as failed when the chain is over', async (fx) => {
    const { bus, news } = await worker(fx, async ({ context, payload }) => {
      if (payload === 'first') await addTwo(batchOf(context));
      else if (payload === 'second') assert.equal((await batchOf(context).find())?.failed, 0);
    });
    const chain = ['first', 'second'].map((payload) => ({ key: 'job', payload }));
    await all(bus.batch([chain]))
      .allowFailures()
      .dispatch();
    await fx.eventually(() => assert.deepEqual(told(news), ['then 2/1/0 of 3', 'finally 2/1/0 of 3']));
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
    await fx.eventually(() => assert.match(told(news)[1] ?? '', /^finally \d\/1\/\d of 4$/));
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
    await fx.eventually(() => assert.deepEqual(told(news), ['then 1/2/0 of 3', 'finally 1/2/0 of 3']));
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
    await fx.eventually(() => assert.deepEqual(told(news), ['then 4/0/0 of 4', 'finally 4/0/0 of 4']));
    await fx.eventually(() => assert.equal(skipped.length, 3));
    assert.deepEqual(seen.payloads.length, 3);
  });
};
