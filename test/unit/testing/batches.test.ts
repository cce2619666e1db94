import assert from 'node:assert/strict';
import { testKit } from '../../../src/testing/index.js';

describe('batches in a test kit', () => {
  const jobs = (count: number) =>
    Array.from({ length: count }, (_none, payload) => ({ key: 'job', payload }));

  it('end after a crash in which a job was done and not acked, and tell of their end once', async () => {
    const handled: number[] = [];
    const told: string[] = [];
    await using kit = await testKit({
      configure: (bus) =>
        bus
          .handle('job', (number: number) => void handled.push(number))
          .handle(
            'over',
            (_payload, { batch }) => void told.push(`${batch?.counts?.done} ${batch?.notification}`),
          ),
    });
    await kit.crash({ at: 'before-ack' });
    const over = { key: 'over', payload: {} };
    const batch = kit.batch(jobs(3)).onSuccess(over).onEnd(over);
    await batch.dispatch();
    await kit.settled();
    assert.deepEqual(told, ['3 success', '3 end']);
    assert.equal(new Set(handled).size, 3);
    const status = await kit.findBatch(batch.id);
    assert.deepEqual([status?.finished, status?.progress], [true, 100]);
  });
});
