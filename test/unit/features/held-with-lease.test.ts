import assert from 'node:assert/strict';
import { type PermitStageOptions, permitStage } from '../../../src/features/concurrency/stage.js';
import { Uniques } from '../../../src/features/unique/uniques.js';
import { HEADER } from '../../../src/message/headers.js';
import { encodeUnique } from '../../../src/message/unique.js';
import type { Attempt } from '../../../src/pipeline/attempt.js';
import type { AttemptLease } from '../../../src/pipeline/lease.js';
import { DONE, RETURN } from '../../../src/pipeline/outcome.js';
import { memoryStores } from '../../../src/stores/memory/index.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { deferred } from '../../../src/util/deferred.js';
import { silentLogger } from '../../../src/util/logger.js';
import { handler, TestDelivery, workFor } from '../consume/fixtures.js';

const LEASE_MS = 60_000;

/** A lease that only remembers what is renewed with it. */
class TestLease {
  readonly forMs = LEASE_MS;
  readonly renewed = new Set<unknown>();

  onRenewal(renew: unknown): () => void {
    this.renewed.add(renew);
    return () => void this.renewed.delete(renew);
  }
}

describe('what is held as long as a lease', () => {
  const its = handler('Encode', ['job'], { timeoutMs: 3_600_000 });
  let clock: ManualClock;
  let stores: ReturnType<typeof memoryStores>;
  let lease: TestLease;
  beforeEach(() => {
    clock = new ManualClock();
    stores = memoryStores(clock);
    lease = new TestLease();
  });

  function contextWith(delivery = new TestDelivery()): Attempt {
    const work = workFor(its, delivery);
    work.lease = lease as unknown as AttemptLease;
    return { work, handler: its, attempt: 1, payload: {}, log: silentLogger } as unknown as Attempt;
  }

  const limited = (next: (context: Attempt) => Promise<typeof DONE>) =>
    permitStage(its, { limit: 1, by: undefined, skip: false }, {
      ...{ service: 's', stores, clock, log: silentLogger, timeoutGraceMs: 5_000, handlers: [its] },
      parking: { park: () => false, resume: () => false, mostOf: () => 0 },
      stopping: { isStopping: false },
      limits: { concurrencyOf: () => undefined },
      failed: () => RETURN,
    } satisfies PermitStageOptions)(next);

  it('is a permit until it is given back, and not those of attempts before', async () => {
    const seen: number[] = [];
    const run = limited(async () => {
      seen.push(lease.renewed.size);
      return DONE;
    });
    const context = contextWith();
    for (const _again of [1, 2, 3]) await run(context);
    assert.deepEqual([seen, lease.renewed.size], [[1, 1, 1], 0]);
  });

  it('is a permit of code that is left running, for no longer than the lease once nobody renews it', async () => {
    const code = deferred();
    const run = limited(async (context) => {
      Object.assign(context, { leftRunning: code.promise });
      return DONE;
    });
    await run(contextWith());
    await clock.advance(10 * LEASE_MS);
    const answer = await stores.semaphores?.acquire('s:billing:Encode:', 1, 'another', 1);
    assert.ok(answer?.kind === 'full');
    assert.ok(answer.leftMs <= LEASE_MS && answer.leftMs > LEASE_MS / 4, `${answer.leftMs} ms`);
    code.resolve();
  });

  it('is the key of a unique message until it has ended, and is renewed once, however many attempts there were', async () => {
    const uniques = new Uniques({ stores, log: silentLogger, timeoutGraceMs: 5_000 });
    const mark = encodeUnique({ key: 'k', until: 'done', forMs: 60_000, number: undefined });
    const properties = { messageId: 'mine', headers: { [HEADER.unique]: mark } };
    const context = contextWith(new TestDelivery({ properties }));
    const begins = uniques.starting(async () => DONE);
    for (const _again of [1, 2]) await begins(context);
    assert.equal(lease.renewed.size, 1);
    for (const effect of uniques.effectsOf(context.work, DONE)) await effect.run();
    assert.equal(lease.renewed.size, 0);
  });
});
