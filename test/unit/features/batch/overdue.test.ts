import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { OverdueBatches } from '../../../../src/features/batch/overdue.js';
import { Bus, memory } from '../../../../src/index.js';
import type { BatchStore } from '../../../../src/stores/batches.js';
import { memoryStores } from '../../../../src/stores/memory/index.js';
import { ManualClock } from '../../../../src/testing/manual-clock.js';
import { deferred } from '../../../../src/util/deferred.js';
import { silentLogger } from '../../../../src/util/logger.js';
import { eventually } from '../../../support/eventually.js';

describe('an overdue notification of a batch', () => {
  afterEach(() => mock.timers.reset());

  it('is sent by another process of its service, if the one that has dispatched it died with the answer', async () => {
    // The store's time is moved, that of the buses is real.
    const clock = new ManualClock();
    const transport = memory();
    const stores = memoryStores(clock);
    const store = stores.batches as BatchStore;
    const told: unknown[] = [];
    const api = new Bus({ service: 'api', transport, stores, log: silentLogger });
    const worker = new Bus({ service: 'worker', transport, stores, log: silentLogger }).handle(
      'news.*',
      (_payload, { batch }) => void told.push(batch?.notification),
    );
    await Promise.all([api.start(), worker.start()]);
    const gone = deferred<never>();
    const seal = store.seal.bind(store);
    store.seal = async (id) => {
      await seal(id);
      return gone.promise;
    };
    const [success, end] = ['success', 'end'].map((news) => ({ key: `news.${news}`, payload: 1 }));
    assert.ok(success && end);
    const batch = api.batch([]);
    batch
      .onSuccess(success)
      .onEnd(end)
      .dispatch()
      .catch(() => {});
    await eventually(async () => assert.equal((await store.find(batch.id))?.verdict, 'then'));
    await clock.advance(31_000);
    const looked: string[] = [];
    const overdue = store.overdue.bind(store);
    store.overdue = async (service, atMost) => {
      const found = await overdue(service, atMost);
      looked.push(`${found.length} of ${service}`);
      return found;
    };
    const late: Bus[] = [];
    for (const service of ['worker', 'api']) {
      mock.timers.enable({ apis: ['setTimeout'] });
      const bus = new Bus({ service, transport, stores, log: silentLogger });
      late.push(bus);
      await bus.start();
      assert.deepEqual(told, []);
      mock.timers.tick(90_000);
      mock.timers.reset();
      await eventually(() => assert.equal(looked.length, late.length));
    }
    await eventually(() => assert.deepEqual(told, ['success', 'end']));
    assert.deepEqual(looked, ['0 of worker', '1 of api']);
    await eventually(async () => assert.deepEqual((await store.find(batch.id))?.unsent, []));
    await Promise.all([api, worker, ...late].map((bus) => bus.stop()));
  });

  it('is asked for once with each look, and one that can not be sent does not keep the others', async () => {
    const sent: string[] = [];
    const store = { overdue: async () => ['a', 'b', 'c'] } as Partial<BatchStore> as BatchStore;
    const send = async (id: string) => {
      if (id === 'a') throw new Error('away');
      sent.push(id);
    };
    await new OverdueBatches({ service: 'any', store, log: silentLogger, send }).look();
    assert.deepEqual(sent, ['b', 'c']);
    store.overdue = () => Promise.reject(new Error('away'));
    await new OverdueBatches({ service: 'any', store, log: silentLogger, send }).look();
    await new OverdueBatches({ service: 'any', store: undefined, log: silentLogger, send }).look();
    assert.equal(sent.length, 2);
  });
});
