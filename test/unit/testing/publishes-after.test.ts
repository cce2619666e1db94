import assert from 'node:assert/strict';
import {
  explore,
  NotSettledError,
  type StartKit,
  type TestKit,
  testKit,
} from '../../../src/testing/index.js';

/** An order that is paid at its third attempt; each attempt tells of itself. */
const paying =
  (publishes: 'now' | 'after') =>
  async (start: StartKit): Promise<void> => {
    const kit = await start({
      retry: { tries: 3, backoff: '1s' },
      configure: (bus) =>
        bus
          .handle(
            'order.placed',
            async (_payload, context) => {
              await context.publish('order.paid', { attempt: context.attempt });
              await context.publishMany('order.told', [{ attempt: context.attempt }]);
              if (context.attempt < 3) throw new Error('the bank is away');
            },
            { publishes },
          )
          .handle('order.paid', () => {}),
    });
    await kit.publish('order.placed', {});
    await kit.advance('1h');
    for (const key of ['order.paid', 'order.told']) {
      const published = kit.published(key).all;
      assert.ok(published.length > 0);
      assert.ok(published.every(({ payload }) => (payload as { attempt: number }).attempt === 3));
      assert.equal(new Set(published.map(({ messageId }) => messageId)).size, 1);
    }
    kit.deadLettered().assertNone();
  };

describe('publishes after an attempt, in the test kit', () => {
  let kit: TestKit | undefined;
  afterEach(() => kit?.stop());

  it('are never of an attempt that failed, and of one id, whatever faults there are', async () => {
    const { faults } = await explore({ scenario: paying('after'), runs: 40, seed: 11 });
    assert.ok(faults >= 40, `${faults} faults`);
  });

  it('are what makes that so: published at the call, they are of attempts that failed', async () => {
    await assert.rejects(explore({ scenario: paying('now'), runs: 5, seed: 11 }), assert.AssertionError);
  });

  it('are published by their handler, once it has returned, and found when it never does', async () => {
    kit = await testKit({
      configure: (bus) =>
        bus.handle(
          'a',
          function first(_payload, context) {
            void context.publish('b', 1);
          },
          { publishes: 'after' },
        ),
    });
    await kit.crash({ at: 'after-publish', key: 'b' });
    await kit.publish('a', 1);
    await kit.settled();
    const [one, again] = kit.published('b').all;
    assert.deepEqual([one?.by, again?.by], ['first', 'first']);
    assert.equal(one?.messageId, again?.messageId);
  });

  it('that lead to each other without end are found', async () => {
    kit = await testKit({
      cascadeLimit: 10,
      configure: (bus) =>
        bus
          .handle('ping', (_payload, context) => context.publish('pong', 1), { publishes: 'after' })
          .handle('pong', (_payload, context) => context.publish('ping', 1), { publishes: 'after' }),
    });
    await kit.publish('ping', 1);
    await assert.rejects(
      kit.settled(),
      (error) => error instanceof NotSettledError && /ping → pong/.test(error.message),
    );
  });
});
