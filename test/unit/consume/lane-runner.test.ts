import assert from 'node:assert/strict';
import type { ConsumerEvents } from '../../../src/consume/consumer-events.js';
import { LaneRunner } from '../../../src/consume/lane-runner.js';
import type { Consumer, TransportSession } from '../../../src/transport/transport.js';
import { type Deferred, deferred } from '../../../src/util/deferred.js';
import { silentLogger } from '../../../src/util/logger.js';
import { ManualClock } from '../../../src/util/manual-clock.js';
import { eventually } from '../../support/eventually.js';
import { TestDelivery } from './fixtures.js';

/** A lane whose broker answers a change of its window to 0 when the test says so. */
async function open() {
  const widths: number[] = [];
  let answer: Deferred<void> = deferred();
  const consumer: Consumer = {
    setPrefetch(width) {
      widths.push(width);
      if (width > 0) return Promise.resolve();
      answer = deferred();
      return answer.promise;
    },
    cancel: async () => {},
    close: async () => {},
  };
  const lane = new LaneRunner(
    { name: 'default', queue: 'q', weight: 1 },
    {
      session: { consume: async () => consumer } as unknown as TransportSession,
      clock: new ManualClock(),
      log: silentLogger,
      consumerEvents: { paused() {}, resumed() {} } as unknown as ConsumerEvents,
      prefetch: 10,
      onDelivery: () => {},
      onLost: () => {},
    },
  );
  await lane.start();
  const delivered = (deliveryCount = 0) => {
    const delivery = new TestDelivery({ deliveryCount });
    lane.deliver(delivery);
    return delivery;
  };
  const asked = (expected: readonly number[]) => eventually(() => assert.deepEqual(widths, expected));
  return { lane, delivered, asked, answer: () => answer.resolve() };
}

describe('a lane', () => {
  it('is as wide after a pause as before it, though a suspect came while the broker had not answered', async () => {
    const { lane, delivered, asked, answer } = await open();
    void lane.settled(delivered());
    await asked([10]);
    const pausing = lane.pause('operator');
    await asked([10, 0]);
    delivered(3);
    answer();
    await pausing;
    lane.resume('operator');
    await asked([10, 0, 1]);
    void lane.settled(delivered());
    await asked([10, 0, 1, 10]);
  });

  it('has nothing of a lost channel wait for a change of the window', async () => {
    const { lane, delivered, answer } = await open();
    const [lost, held] = [delivered(), delivered()];
    void lane.pause('operator');
    lane.resume('operator');
    lost.lost = true;
    assert.equal(lane.settled(lost), undefined);
    assert.ok(lane.settled(held) instanceof Promise);
    answer();
  });
});
