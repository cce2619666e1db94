import assert from 'node:assert/strict';
import { Permits } from '../../../src/features/concurrency/permits.js';
import { HandlerLocks } from '../../../src/features/lock/context.js';
import type { Attempt } from '../../../src/pipeline/attempt.js';
import { memoryStores } from '../../../src/stores/memory/index.js';
import type { SemaphoreStore } from '../../../src/stores/semaphores.js';
import type { Stores } from '../../../src/stores/stores.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { silentLogger } from '../../../src/util/logger.js';

/** Does what it is asked, and answers only what is asked after `unanswered` calls. */
function answeringAfter<Store extends object>(store: Store, unanswered: number): Store {
  let calls = 0;
  return new Proxy(store, {
    get:
      (target, name) =>
      async (...given: unknown[]) => {
        calls += 1;
        const answers = calls > unanswered;
        const done = calls === 1 || answers;
        const result =
          done &&
          (await (target as never as Record<string | symbol, (...its: unknown[]) => unknown>)[name]?.(
            ...given,
          ));
        if (!answers) throw new Error('no answer within 5000 ms');
        return result;
      },
  });
}

describe('what is taken though the answer never came', () => {
  const clock = new ManualClock();
  const { semaphores, leases } = memoryStores(clock);

  it('is given back if it is a permit, as soon as the store answers again', async () => {
    const real = semaphores as SemaphoreStore;
    const permits = new Permits({
      ...{ clock, log: silentLogger, named: (key: string) => key, limit: () => 1 },
      store: answeringAfter(real, 3),
    });
    const time = { forMs: 60_000, leastMs: 1_000 };
    await assert.rejects(async () => permits.tryTake('k', time), /no answer/);
    assert.equal((await real.acquire('k', 1, 'another', 1)).kind, 'full');
    await clock.advance(3_000);
    assert.equal((await real.acquire('k', 1, 'another', 1)).kind, 'taken');
  });

  it('is given back if it is a lock, which the next attempt can take', async () => {
    const store = answeringAfter(leases as NonNullable<Stores['leases']>, 2);
    const context = { mustNotBeOver() {}, phase: 'failed', log: silentLogger } as unknown as Attempt;
    const locks = new HandlerLocks({ stores: { leases: store }, clock }, context);
    await assert.rejects(locks.lock('l', { ttl: '1d' }), /no answer/);
    assert.equal(typeof (await leases?.look('lock:l')), 'number');
    await clock.advance(2_000);
    assert.equal(await leases?.look('lock:l'), 'released');
  });
});
