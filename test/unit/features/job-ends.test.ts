import assert from 'node:assert/strict';
import { JobEffects } from '../../../src/features/job/effects.js';
import type { JobNotice } from '../../../src/features/job/notices.js';
import { JobRecords } from '../../../src/features/job/records.js';
import { HEADER } from '../../../src/message/headers.js';
import { encodeJob } from '../../../src/message/wire/job-header.js';
import { DONE, type Effect, HANDLED_BEFORE, type Outcome } from '../../../src/pipeline/outcome.js';
import { MemoryJobs } from '../../../src/stores/memory/jobs.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { silentLogger } from '../../../src/util/logger.js';
import { TestDelivery, workFor } from '../consume/fixtures.js';

describe('the end of a job', () => {
  async function parts() {
    const clock = new ManualClock();
    const store = new MemoryJobs(clock);
    const { end } = store;
    let isAway = false;
    store.end = (ends) => (isAway ? Promise.reject(new Error('away')) : end.call(store, ends));
    const records = new JobRecords(store);
    const told: JobNotice[] = [];
    const stop = new AbortController();
    const effects = new JobEffects({
      ...{ records, clock, encryption: undefined, log: silentLogger, giveUp: stop.signal },
      notes: { flush: () => undefined },
      teller: { tell: (_address, notice) => void told.push(notice) },
    });
    await records.add({
      ...{ id: 'video 1', name: undefined, tags: [], service: 'shop', routingKey: 'video', keepMs: 60_000 },
      ...{ sentAt: clock.now(), dueAt: undefined, message: undefined },
    });
    const mark = encodeJob({ version: 1, address: 'somebody' });
    const properties = { messageId: 'video 1', headers: { [HEADER.job]: mark } };
    const work = () => workFor(undefined, new TestDelivery({ properties }));
    const endOf = (outcome: Outcome, its = work()): Effect => {
      const [effect = assert.fail('nothing is due')] = effects.ends(its, outcome);
      return effect;
    };
    const away = (is: boolean) => {
      isAway = is;
    };
    return { clock, records, told, stop, work, endOf, away };
  }

  it('keeps its message for a minute at most when it can not be stored, and is stored when the store is back', async () => {
    const { clock, records, told, endOf, away } = await parts();
    const effect = endOf(DONE);
    away(true);
    await assert.rejects(effect.run());
    assert.equal(effect.onError?.(new Error('away')), undefined);
    assert.equal(effect.leftMs, 60_000);
    await clock.advance(60_000);
    await assert.rejects(effect.run());
    assert.equal(effect.onError?.(new Error('away')), 'without');
    await clock.advance(5_000);
    assert.deepEqual([(await records.find('video 1'))?.state, told.length], ['waiting', 0]);
    away(false);
    await clock.advance(60_000);
    assert.deepEqual([(await records.find('video 1'))?.state, told.length, clock.armed], ['done', 1, 0]);
  });

  it('keeps no message once the bus stops', async () => {
    const { clock, stop, endOf, away } = await parts();
    const [early, late] = [endOf(DONE), endOf(DONE)];
    away(true);
    await assert.rejects(early.run());
    await assert.rejects(late.run());
    await clock.advance(60_000);
    assert.equal(early.onError?.(new Error('away')), 'without');
    stop.abort();
    assert.equal(late.onError?.(new Error('away')), 'without');
    assert.equal(clock.armed, 0);
  });

  it('of what was handled before its process died has no result, and says so; one that is stored keeps its own', async () => {
    const { records, told, endOf } = await parts();
    await endOf(HANDLED_BEFORE).run();
    const job = await records.find('video 1');
    assert.deepEqual([job?.state, job?.result], ['done', undefined]);
    assert.match(job?.resultProblem ?? '', /was handled before/);
    assert.deepEqual(told, [{ id: 'video 1', state: 'done', isPartial: true }]);

    const other = await parts();
    const done = other.work();
    Object.assign(done, { returned: { minutes: 7 }, job: { run: 'a.1' } });
    await other.endOf(DONE, done).run();
    await other.endOf(HANDLED_BEFORE).run();
    const kept = await other.records.find('video 1');
    assert.deepEqual([kept?.result, kept?.resultProblem], ['{"minutes":7}', undefined]);
  });
});
