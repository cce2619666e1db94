import assert from 'node:assert/strict';
import { queueReport } from '../../../src/control/queue-report.js';
import { TopologyError } from '../../../src/errors.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { Names } from '../../../src/topology/names.js';

describe('the report of a queue', () => {
  it('has no age where its messages may not be read, and all else', async () => {
    const report = await queueReport('q', {
      session: {
        inspect: async () => ({ ready: 3, consumers: 0 }),
        peek: () => Promise.reject(new TopologyError('q', 'ACCESS_REFUSED', 'Grant it.')),
        brokerInfo: { peekIsFree: true } as never,
      },
      transport: { clock: new ManualClock() },
      names: new Names(),
      processes: [],
      paused: ['q'],
    });
    assert.deepEqual(report, {
      queue: 'q',
      ready: 3,
      consumers: 0,
      serving: 0,
      consuming: 0,
      oldestMs: undefined,
      paused: true,
    });
  });
});
