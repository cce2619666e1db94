import assert from 'node:assert/strict';
import { type PruneOptions, prune } from '../../../src/cli/topology/prune.js';
import type { Management } from '../../../src/oversight/management/management.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { Names } from '../../../src/topology/names.js';
import type { Consumer, Delivery, Session } from '../../../src/transport/transport.js';

const QUEUE = 'mailer.old';

describe('pruning', () => {
  it('deletes no queue whose messages stay, though the broker has not put them back in it yet', async () => {
    const clock = new ManualClock();
    const { session, management, deleted } = brokerOf(clock);
    const queue = {
      name: QUEUE,
      kind: 'work',
      of: QUEUE,
      held: 0,
      bindings: [],
      names: new Names(),
    } as const;
    // What lies there did not come on this way.
    const ways = [
      {
        exchange: 'hopline.events',
        type: 'topic' as const,
        pattern: 'email.goodbye',
        successor: 'mailer.goodbye',
      },
    ];
    const within: PruneOptions['within'] = (_names, use) => use(session);
    const pruning = prune(
      { session, within, clock, management, applications: [], to: undefined, keep: [] },
      { bindings: [], queues: [{ ...queue, ready: 1, ways }] },
    );
    for (let step = 0; step < 40; step += 1) await clock.advance(500);
    assert.deepEqual(await pruning, [{ name: QUEUE, kind: 'work', moved: 0, stayed: 1, isDeleted: false }]);
    assert.deepEqual(deleted, []);
  });
});

/** One with a queue of one message, which takes three seconds to have it back each time it was looked at. */
function brokerOf(clock: ManualClock) {
  let backAt = 0;
  const deleted: string[] = [];
  const giveBack = () => {
    backAt = clock.monotonic() + 3_000;
  };
  const consumer: Consumer = {
    setPrefetch: async () => {},
    cancel: async () => {},
    close: async () => giveBack(),
  };
  const delivery: Partial<Delivery> = {
    queue: QUEUE,
    exchange: 'hopline.events',
    routingKey: 'email.welcome',
    body: Buffer.from('1'),
    properties: { headers: {} },
  };
  const session: Partial<Session> = {
    inspect: async () => ({ ready: clock.monotonic() >= backAt ? 1 : 0, consumers: 0 }),
    consume: async (_queue, _options, sink) => {
      sink.deliver(delivery as Delivery);
      backAt = Number.POSITIVE_INFINITY;
      return consumer;
    },
  };
  const management: Partial<Management> = {
    queues: async () => [],
    deleteQueue: async (name) => void deleted.push(name),
  };
  return { session: session as Session, management: management as Management, deleted };
}
