import assert from 'node:assert/strict';
import type { Serving } from '../../../src/consume/handlers/serving.js';
import { LongJobs, type LongJobsOptions } from '../../../src/consume/intake/long-jobs.js';
import type { HeldLease } from '../../../src/features/long/held-lease.js';
import type { AttemptLease } from '../../../src/pipeline/lease.js';
import type { Work } from '../../../src/pipeline/work.js';
import { memoryStores } from '../../../src/stores/memory/index.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { silentLogger } from '../../../src/util/logger.js';
import { handler, TestDelivery, workFor } from '../consume/fixtures.js';

describe('jobs that go on without their channel', () => {
  const clock = new ManualClock();
  const its = { ...handler('Encode', ['job']), hasLease: true };
  const serving = { subscriptions: [{ queue: 'billing', handlers: [its] }] } as unknown as Serving;
  const made = () =>
    LongJobs.of(serving, {
      ...{ service: 's', clock, log: silentLogger, stores: memoryStores(clock) },
    } as unknown as LongJobsOptions) as LongJobs;

  function leased(jobs: LongJobs, delivery = new TestDelivery()): Work {
    const work = workFor(its, delivery);
    const lease = { isHeld: true, abandon() {} };
    jobs.parts.took(work, lease as unknown as HeldLease);
    work.lease = lease as unknown as AttemptLease;
    return work;
  }

  it('are all that have slots, whether their code runs, has not begun, or has ended', () => {
    const jobs = made();
    const [waits, parked, stays] = [leased(jobs), leased(jobs), leased(jobs)];
    for (const work of [waits, parked]) (work.received.delivery as TestDelivery).lost = true;
    const gate = { holdsSlot: (work: Work) => work !== parked };
    for (const _again of [1, 2]) jobs.channelLost(gate);
    assert.equal(jobs.withoutChannel, 1);
    assert.deepEqual(
      [waits, parked, stays].map((work) => jobs.ended(work)),
      [true, false, false],
    );
    assert.equal(jobs.withoutChannel, 0);
  });

  it('are those, too, whose channel went while their lease was asked for', () => {
    const jobs = made();
    const delivery = new TestDelivery();
    delivery.lost = true;
    const work = leased(jobs, delivery);
    assert.equal(jobs.withoutChannel, 1);
    assert.equal(jobs.ended(work), true);
  });
});
