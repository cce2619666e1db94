import assert from 'node:assert/strict';
import { Bus, memory } from '../../../../src/index.js';
import { memoryStores } from '../../../../src/stores/memory/index.js';
import { ManualClock } from '../../../../src/testing/manual-clock.js';
import { silentLogger } from '../../../../src/util/logger.js';

describe('a notification of a batch', () => {
  it('is its own, and not that of another one which had its id', async () => {
    const clock = new ManualClock();
    const told: unknown[] = [];
    const bus = new Bus({
      service: 'any',
      transport: memory({ clock }),
      stores: memoryStores(clock),
      log: silentLogger,
    });
    bus
      .handle('job', () => {})
      .handle('news.*', (night, { batch }) => void told.push(`${batch?.notification} of night ${night}`));
    await bus.start();
    for (const night of [1, 2]) {
      await bus
        .batch([{ key: 'job', payload: night }], { id: 'nightly', keep: '1h' })
        .onProgress({ key: 'news.progress', payload: night })
        .onSuccess({ key: 'news.success', payload: night })
        .dispatch();
      await clock.advance(1_000);
      assert.deepEqual(told.splice(0).sort(), [`progress of night ${night}`, `success of night ${night}`]);
      await clock.advance(3_600_000);
      assert.equal(await bus.findBatch('nightly'), undefined);
    }
    await bus.stop();
  });

  it('is read from the store once for all its progress, and anew for each notification that is sent once', async () => {
    const clock = new ManualClock();
    const stores = memoryStores(clock);
    const { batches } = stores;
    assert.ok(batches);
    let asked = 0;
    const notifications = batches.notifications.bind(batches);
    batches.notifications = (id) => {
      asked += 1;
      return notifications(id);
    };
    const percents: unknown[] = [];
    const bus = new Bus({ service: 'any', transport: memory({ clock }), stores, log: silentLogger });
    bus
      .handle('job', () => {}, { concurrency: 1 })
      .handle('progress', (_payload, { batch }) => void percents.push(batch?.counts?.progress));
    await bus.start();
    const jobs = Array.from({ length: 20 }, () => ({ key: 'job', payload: 1, delay: '1s' as const }));
    await bus.batch(jobs).onProgress({ key: 'progress', payload: 1 }).dispatch();
    await clock.advance(5_000);
    assert.equal(percents.length, 20);
    assert.equal(asked, 3);
    await bus.stop();
  });
});
