import assert from 'node:assert/strict';
import { EndWatch } from '../../../src/features/job/end-watch.js';
import { JobRecords } from '../../../src/features/job/records.js';
import { MemoryJobs } from '../../../src/stores/memory/jobs.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { Names } from '../../../src/topology/names.js';
import { silentLogger } from '../../../src/util/logger.js';

describe('a process that is to hear of ends', () => {
  it('listens again after a refusal, a minute later, and warns once', async () => {
    const clock = new ManualClock();
    let tries = 0;
    let isRefused = true;
    const warnings: string[] = [];
    const listen = async ({ queueName }: { queueName: () => string }) => {
      queueName();
      tries += 1;
      if (isRefused) throw new Error('ACCESS_REFUSED');
    };
    const watch = new EndWatch({
      ...{ records: new JobRecords(new MemoryJobs(clock)), names: new Names(), clock },
      log: { ...silentLogger, warn: (_fields, message) => void warnings.push(message) },
      session: () => ({ listen }) as never,
    });
    const asked = async () => {
      watch.address();
      await clock.advance(1_000);
      return [tries, watch.address() !== undefined, warnings.length];
    };
    assert.deepEqual(await asked(), [1, false, 1]);
    assert.deepEqual(await asked(), [1, false, 1]);
    await clock.advance(60_000);
    assert.deepEqual(await asked(), [2, false, 1]);
    isRefused = false;
    await clock.advance(60_000);
    assert.deepEqual(await asked(), [3, true, 1]);
    assert.match(warnings.join(), /configure and read/);
  });
});
