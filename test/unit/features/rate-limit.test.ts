import assert from 'node:assert/strict';
import fc from 'fast-check';
import { rateLimitOption } from '../../../src/features/rate-limit/option.js';
import { RateLimit } from '../../../src/features/rate-limit/rate-limit.js';
import type { RateLimitStore } from '../../../src/stores/rate-limits.js';

/** A store whose time the test moves, and which counts how often it is asked. */
class TestStore implements RateLimitStore {
  now = 0;
  asked = 0;
  isAway = false;
  private readonly takenUntil = new Map<string, number>();

  async take(name: string, seconds: number): Promise<number> {
    this.asked += 1;
    if (this.isAway) throw new Error('the store is away');
    const until = this.takenUntil.get(name) ?? 0;
    if (until > this.now) return until - this.now;
    this.takenUntil.set(name, this.now + seconds * 1_000);
    return 0;
  }
}

const limitOn = (store: TestStore, allow: number, everyMs = 10_000) =>
  new RateLimit(store, String, rateLimitOption.settings({ allow, every: everyMs }), () => store.now, 'Work');

/** The most that lie in any time of this length that begins with one of them. */
function mostIn(times: readonly number[], lengthMs: number): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + lengthMs).length));
}

describe('a rate limit', () => {
  it('lets so many begin, and says when the next may', async () => {
    const store = new TestStore();
    const limit = limitOn(store, 2);
    assert.equal(await limit.take(''), 0);
    store.now = 4_000;
    assert.equal(await limit.take(''), 0);
    store.now = 5_000;
    assert.equal(await limit.take(''), 5_000);
    store.now = 10_000;
    assert.equal(await limit.take(''), 0);
    assert.equal(await limit.take(''), 4_000);
  });

  it('holds in any time of its length, over all processes, and uses all that it allows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.tuple(fc.nat(2), fc.nat(1_500)), { minLength: 50, maxLength: 200 }),
        async (allow, steps) => {
          const store = new TestStore();
          const processes = [0, 1, 2].map(() => limitOn(store, allow));
          const begun: number[] = [];
          for (const [process, pauseMs] of steps) {
            store.now += pauseMs;
            const free = begun.filter((at) => at > store.now - 10_000).length < allow;
            const waitMs = await processes[process]?.take('');
            if (waitMs === 0) begun.push(store.now);
            assert.equal(waitMs === 0, free, 'a permit was free and was not given, or the other way round');
          }
          assert.ok(mostIn(begun, 10_000) <= allow);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('sends those that must wait to different moments, within ten times of its length', async () => {
    const store = new TestStore();
    const limit = limitOn(store, 2);
    const waits: number[] = [];
    for (let number = 0; number < 30; number += 1) waits.push(await limit.take(''));
    assert.deepEqual(waits.slice(0, 8), [0, 0, 10_000, 10_000, 20_000, 20_000, 30_000, 30_000]);
    assert.deepEqual(waits.slice(22), Array(8).fill(100_000));
    assert.equal(store.asked, 2, 'a permit that is known to be taken is not asked for');
  });

  it('is another one for each key', async () => {
    const store = new TestStore();
    const limit = new RateLimit(
      store,
      String,
      rateLimitOption.settings({ allow: 1, every: '10s', by: ({ host }) => host }),
      () => store.now,
      'Work',
    );
    const context = {} as never;
    assert.equal(await limit.take(limit.keyOf({ host: 'a' }, context)), 0);
    assert.equal(await limit.take(limit.keyOf({ host: 'b' }, context)), 0);
    assert.equal(await limit.take(limit.keyOf({ host: 'a' }, context)), 10_000);
  });

  it('gives a permit of which nobody knows again', async () => {
    const store = new TestStore();
    const limit = limitOn(store, 1);
    store.isAway = true;
    await assert.rejects(limit.take(''), /the store is away/);
    store.isAway = false;
    assert.equal(await limit.take(''), 0);
  });
});
