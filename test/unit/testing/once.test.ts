import assert from 'node:assert/strict';
import { testKit } from '../../../src/testing/index.js';

describe('parts that are done once, in the test kit', () => {
  it('are known to the process that comes after a crash', async () => {
    const charged: string[] = [];
    await using kit = await testKit({
      configure: (bus) =>
        bus.handle('invoice.due', async (_payload, context) => {
          await context.once('charge', (key) => void charged.push(key));
        }),
    });
    await kit.crash({ at: 'before-ack' });
    await kit.publish('invoice.due', 1);
    await kit.settled();
    kit.handled('invoice.due').assertTimes(2);
    assert.equal(charged.length, 1, kit.timeline());
  });
});
