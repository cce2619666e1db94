import assert from 'node:assert/strict';
import { controlOf } from '../support/operators.js';
import type { Theme } from './theme.js';

export const workload: Theme = (test) => {
  test('the workload counts each slot group by itself, and no slots for a paused one', async (fx) => {
    const control = controlOf(fx);
    const [first, second] = [fx.name('first'), fx.name('second')];
    const bus = fx
      .bus('mailer')
      .handle('done', () => {}, { queue: { name: first, concurrency: 20 } })
      .handle('discarded', (_payload, context) => context.discard(), {
        queue: { name: second, concurrency: 2, lanes: ['high', 'default'] },
      });
    await bus.start();
    const sets = async () =>
      (await bus.workload()).slotGroups.map(({ queues, slots, ready, attempts }) => [
        queues,
        slots,
        ready,
        attempts,
      ]);
    assert.deepEqual(await sets(), [
      [[first], 20, 0, 0],
      [[second], 2, 0, 0],
    ]);
    await bus.publish('done', 1);
    for (const lane of ['high', 'default']) await bus.publish('discarded', 1, { lane });
    const handled = [
      [[first], 20, 0, 1],
      [[second], 2, 0, 2],
    ];
    await fx.eventually(async () => assert.deepEqual(await sets(), handled));
    assert.equal((await bus.workload()).slots, 22);
    await control(({ pause }) => pause(second));
    await bus.publish('discarded', 2);
    assert.deepEqual(await sets(), [
      [[first], 20, 0, 1],
      [[second], 0, 0, 2],
    ]);
    assert.equal((await bus.workload()).slots, 20);
    await control(({ pause }) => pause(first));
    await control(({ resume }) => resume(second));
    await fx.eventually(async () => assert.deepEqual((await sets())[1], [[second], 2, 0, 3]));
  });
};
