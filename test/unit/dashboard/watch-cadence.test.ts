import assert from 'node:assert/strict';
import { startWatch } from '../../../src/dashboard/site/watch.js';
import { Bus, memory } from '../../../src/index.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { silentLogger } from '../../../src/util/logger.js';

describe('the looks of a watch', () => {
  const clock = new ManualClock();
  const transport = memory({ clock });

  async function looksIn(seconds: number, watch: ReturnType<typeof startWatch>): Promise<number> {
    const times = new Set<number>();
    for (let step = 0; step < seconds * 10; step += 1) {
      await clock.advance(100);
      await clock.settle();
      if (watch.seen?.at !== undefined) times.add(watch.seen.at);
    }
    return times.size;
  }

  it('are every five seconds while nobody follows, every two while somebody does, and none once it is closed', async () => {
    const bus = new Bus({ service: 'shop', transport, log: silentLogger });
    await bus.handle('k', () => {}, { name: 'Ship' }).start();
    const watch = startWatch({ transport, log: silentLogger });
    await looksIn(10, watch);
    const alone = await looksIn(60, watch);
    assert.ok(alone >= 12 && alone <= 13, `${alone}`);
    const ends = [1, 2].map(() => watch.follow(() => {}));
    const followed = await looksIn(60, watch);
    assert.ok(followed >= 29 && followed <= 31, `${followed}`);
    ends[0]?.();
    ends[0]?.();
    const stillFollowed = await looksIn(60, watch);
    assert.ok(stillFollowed >= 29, `${stillFollowed}`);
    ends[1]?.();
    await looksIn(5, watch);
    const aloneAgain = await looksIn(60, watch);
    assert.ok(aloneAgain <= 13, `${aloneAgain}`);
    const { values } = await watch.history('length', undefined, 60_000);
    assert.deepEqual(values, Array(12).fill(0));
    const closing = watch.close();
    await clock.advance(20_000);
    await closing;
    assert.equal(await looksIn(30, watch), 1);
    await bus.stop();
  });

  it('are told to every follower, also to those after one that throws', async () => {
    const failed: unknown[] = [];
    const log = { ...silentLogger, error: (...line: unknown[]) => void failed.push(line) };
    const watch = startWatch({ transport, log });
    let told = 0;
    watch.follow(() => {
      throw new Error('it fails');
    });
    watch.follow(() => {
      told += 1;
    });
    await looksIn(10, watch);
    assert.ok(told >= 4 && failed.length === told, `${told} ${failed.length}`);
    const closing = watch.close();
    await clock.advance(20_000);
    await closing;
  });
});
