import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  MOST_ALLOWED,
  type RateLimitOptions,
  rateLimitOption,
} from '../../../src/features/rate-limit/option.js';
import { RateLimit } from '../../../src/features/rate-limit/rate-limit.js';
import { Bus, memory, OptionsError } from '../../../src/index.js';
import type { RateLimitStore } from '../../../src/stores/rate-limits.js';
import { silentLogger } from '../../../src/util/logger.js';

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

  async hold(names: readonly string[], forMs: number): Promise<void> {
    this.asked += 1;
    for (const name of names)
      this.takenUntil.set(name, Math.max(this.takenUntil.get(name) ?? 0, this.now + forMs));
  }
}

const limitOn = (store: TestStore, allow: number, everyMs = 10_000) =>
  new RateLimit(store, String, rateLimitOption.settings({ allow, every: everyMs }), () => store.now, 'Work');

/** A permit, as a message takes it whose payload says nothing. */
const take = (limit: RateLimit) => limit.take(limit.claimOf(undefined, {} as never));

/** The most that lie in any time of this length that begins with one of them. */
function mostIn(times: readonly number[], lengthMs: number): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + lengthMs).length));
}

describe('a rate limit', () => {
  it('lets so many begin, and says when the next may', async () => {
    const store = new TestStore();
    const limit = limitOn(store, 2);
    assert.equal(await take(limit), 0);
    store.now = 4_000;
    assert.equal(await take(limit), 0);
    store.now = 5_000;
    assert.equal(await take(limit), 5_000);
    store.now = 10_000;
    assert.equal(await take(limit), 0);
    assert.equal(await take(limit), 4_000);
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
            const waitMs = await take(processes[process] as RateLimit);
            if (waitMs === 0) begun.push(store.now);
            assert.equal(waitMs === 0, free, 'a permit was free and was not given, or the other way round');
          }
          assert.ok(mostIn(begun, 10_000) <= allow);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('that is refused holds back all permits that another message may have, in other processes too', async () => {
    const store = new TestStore();
    const [small, large] = [0, 1].map(
      () =>
        new RateLimit(
          store,
          String,
          rateLimitOption.settings({ allow: (tier: number) => tier, every: '10s' }),
          () => store.now,
          'Work',
        ),
    ) as [RateLimit, RateLimit];
    await small.hold(small.claimOf(10, {} as never), 60_000);
    for (const tier of [10, 11, MOST_ALLOWED])
      assert.ok((await large.take(large.claimOf(tier, {} as never))) > 10_000, `${tier} permits`);
    store.now = 60_000;
    assert.equal(await large.take(large.claimOf(11, {} as never)), 0);
  });

  it('sends those that must wait to different moments, within ten times of its length', async () => {
    const store = new TestStore();
    const limit = limitOn(store, 2);
    const waits: number[] = [];
    for (let number = 0; number < 30; number += 1) waits.push(await take(limit));
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
    assert.equal(await limit.take(limit.claimOf({ host: 'a' }, context)), 0);
    assert.equal(await limit.take(limit.claimOf({ host: 'b' }, context)), 0);
    assert.equal(await limit.take(limit.claimOf({ host: 'a' }, context)), 10_000);
  });

  it('gives a permit of which nobody knows again', async () => {
    const store = new TestStore();
    const limit = limitOn(store, 1);
    store.isAway = true;
    await assert.rejects(take(limit), /the store is away/);
    store.isAway = false;
    assert.equal(await take(limit), 0);
  });

  it('is held back by one process for all of them: here at once, elsewhere when they ask', async () => {
    const store = new TestStore();
    const [here, there] = [limitOn(store, 2), limitOn(store, 2)];
    assert.equal(await take(there), 0);
    await here.hold(here.claimOf(undefined, {} as never), 60_000);
    const { asked } = store;
    assert.equal(await take(here), 60_000);
    assert.equal(store.asked, asked, 'who holds it back need not ask');
    assert.equal(await take(there), 10_000, 'of the permit that it has itself it hears when that is over');
    store.now = 10_000;
    assert.equal(await take(there), 50_000);
    store.now = 60_000;
    assert.deepEqual([await take(there), await take(here)], [0, 0]);
  });

  it('is held back for longer than ten times of its length, if somebody says so, and for no less than its length', async () => {
    const store = new TestStore();
    const limit = limitOn(store, 1);
    assert.equal(await take(limit), 0);
    await limit.hold(limit.claimOf(undefined, {} as never), 1_000);
    assert.equal(await take(limit), 10_000);
    await limit.hold(limit.claimOf(undefined, {} as never), 500_000);
    assert.equal(await take(limit), 500_000);
    assert.equal(await take(limit), 500_000, 'none comes back before that in vain');
  });

  it('has as many permits as each message says, of the same key', async () => {
    const store = new TestStore();
    const allow = ({ tier }: { tier: number }) => tier;
    const settings = rateLimitOption.settings({ allow, every: '10s' });
    const limit = new RateLimit(store, String, settings, () => store.now, 'Work');
    const begin = (tier: unknown) => limit.take(limit.claimOf({ tier }, {} as never));
    assert.deepEqual([await begin(1), await begin(1)], [0, 10_000]);
    assert.deepEqual([await begin(3), await begin(3), await begin(3)], [0, 0, 10_000]);
    assert.equal(await begin(1), 20_000);
    for (const tier of [0, 1_001, 1.5, undefined, Promise.resolve(1)])
      assert.throws(
        () => limit.claimOf({ tier }, {} as never),
        /rateLimit.allow of 'Work' to return an integer/,
      );
  });

  it('is one for all handlers of a bucket, which say the same of it, in whatever queue they are', async () => {
    const allow = () => 3;
    const busWith = (...limits: readonly Omit<RateLimitOptions, 'bucket'>[]) => {
      const bus = new Bus({ service: 'shop', transport: memory(), log: silentLogger });
      for (const [index, limit] of limits.entries())
        bus.handle(`k${index}`, () => {}, {
          name: `Work${index}`,
          queue: `q${index}`,
          rateLimit: { ...limit, bucket: 'api' },
        });
      return bus;
    };
    const refused = (bus: Bus, problem: RegExp) =>
      assert.rejects(bus.start(), (error) => error instanceof OptionsError && problem.test(error.message));
    const alike = busWith({ allow: 3, every: '60s' }, { allow: 3, every: '1m' });
    await alike.start();
    await alike.stop();
    await refused(
      busWith({ allow: 3, every: '1s' }, { allow: 4, every: '1s' }),
      /the bucket 'api' allows 3 in 1s in Work0 and 4 in 1s in Work1: it is one limit, so give both the same/,
    );
    await refused(busWith({ allow: 3, every: '1s' }, { allow: 3, every: '2s' }), /3 in 1s .* 3 in 2s/);
    await refused(
      busWith({ allow, every: '1s' }, { allow: () => 3, every: '1s' }),
      /\(one function, not two alike\)/,
    );
  });
});
