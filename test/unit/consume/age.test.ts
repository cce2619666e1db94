import assert from 'node:assert/strict';
import { Bus, memory } from '../../../src/index.js';
import { silentLogger } from '../../../src/util/logger.js';
import { eventually } from '../../support/eventually.js';

describe('the time that a message has waited', () => {
  it('is known for its first attempt, and not for one that follows at once', async () => {
    const waits: (number | undefined)[] = [];
    const bus = new Bus({ service: 'shop', transport: memory(), log: silentLogger, failureLog: false });
    const retry = { tries: 3, backoff: 0 };
    bus.handle('order', () => Promise.reject(new Error('no')), { queue: 'orders', name: 'Pay', retry });
    bus.on('handler.failed', ({ waitMs }) => waits.push(waitMs));
    await bus.start();
    try {
      await bus.publish('order', {});
      await eventually(() => waits.length === 3);
      assert.deepEqual(
        waits.map((wait) => typeof wait),
        ['number', 'undefined', 'undefined'],
      );
    } finally {
      await bus.stop();
    }
  });
});
