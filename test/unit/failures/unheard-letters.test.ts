import assert from 'node:assert/strict';
import { NoticeHearing } from '../../../src/failures/groups/notice-hearing.js';
import { QueueWatch } from '../../../src/failures/groups/queue-watch.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { Names } from '../../../src/topology/names.js';

describe('dead letters that nobody was told of', () => {
  it('are supposed where the workers were not asked in time to tell of them', async () => {
    const clock = new ManualClock();
    const session = {
      listen: async () => ({ close: async () => {} }),
      publish: async () => ({ messageId: 'asked' }),
    };
    const hearing = new NoticeHearing(session as never, new Names(), clock, () => {});
    assert.equal(await hearing.keepUp(), true);
    await clock.advance(30_000);
    assert.equal(await hearing.keepUp(), false);
    await clock.advance(61_000);
    assert.equal(await hearing.keepUp(), true);
    assert.equal(await hearing.keepUp(), false);
  });

  it('have their queue read again at the first count that differs; else the second has to differ as well', async () => {
    const clock = new ManualClock();
    const watch = new QueueWatch(clock, 30_000);
    watch.read(clock.monotonic());
    await clock.advance(60_000);
    watch.counted(5);
    assert.equal(watch.isDue, false);
    watch.counted(5);
    assert.equal(watch.isDue, true);
    watch.read(clock.monotonic());
    await clock.advance(60_000);
    watch.counted(5, true);
    assert.deepEqual([watch.isDue, watch.isStale], [true, true]);
    watch.counted(0, true);
    assert.equal(watch.isDue, false);
  });
});
