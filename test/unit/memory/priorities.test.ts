import assert from 'node:assert/strict';
import type { QueuePlan } from '../../../src/topology/plan.js';
import { type Bench, classic, openBench, quorum } from './support.js';

describe('priorities on the memory broker', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await openBench();
  });
  afterEach(() => bench.close());

  const declare = (queue: QueuePlan) =>
    bench.session.declarePlan({ own: { exchanges: [], queues: [queue], bindings: [] } }, 'declare');

  async function publishAll(...priorities: (number | undefined)[]): Promise<void> {
    for (const priority of priorities)
      await bench.publish('/q', `${priority ?? 'none'}`, priority === undefined ? {} : { priority });
  }

  it('of a quorum queue are heeded as RabbitMQ 4.3 does, if its plan asks: 0 to 31, and 4 for none', async () => {
    await declare({ name: 'q', arguments: quorum(), maxPriority: 10 });
    await publishAll(3, undefined, 40, 5, 31, 4);
    assert.deepEqual(await bench.drained('q'), ['40', '31', '5', 'none', '4', '3']);
  });

  it('of a quorum queue whose plan asks for none are ignored, until one does', async () => {
    await declare({ name: 'q', arguments: quorum() });
    await publishAll(1, 9, 5);
    assert.deepEqual(await bench.drained('q'), ['1', '9', '5']);
    await declare({ name: 'q', arguments: quorum(), maxPriority: 10 });
    await declare({ name: 'q', arguments: quorum() });
    await publishAll(1, 9, 5);
    assert.deepEqual(await bench.drained('q'), ['9', '5', '1']);
  });

  it('of a classic queue decide what a full one drops: its head, which is the highest', async () => {
    const args = classic({ 'x-max-priority': 5, 'x-max-length': 2, 'x-overflow': 'drop-head' });
    await declare({ name: 'q', arguments: args });
    await publishAll(1, 5, 0);
    assert.deepEqual(await bench.drained('q'), ['1', '0']);
  });
});
