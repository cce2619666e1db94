import assert from 'node:assert/strict';
import type { Subscription } from '../../../src/consume/handlers/subscription.js';
import { LaneConsumer } from '../../../src/consume/intake/lane-consumer.js';
import { Pause } from '../../../src/consume/intake/pause.js';
import type { ConsumerEvents } from '../../../src/consume/report/consumer-events.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import type { Consumer, Delivery, Session } from '../../../src/transport/transport.js';
import { type Deferred, deferred } from '../../../src/util/deferred.js';
import { silentLogger } from '../../../src/util/logger.js';
import { eventually } from '../../support/eventually.js';
import { TestDelivery } from './fixtures.js';

/** A lane whose broker answers a change of its window to 0 when the test says so, or at once. */
async function open(prefetch = 10, isSlow = true, its: Partial<Subscription> = {}) {
  const widths: number[] = [];
  let answer: Deferred<void> = deferred();
  let window = 1;
  let blocked = 0;
  const consumer: Consumer = {
    setPrefetch(width) {
      widths.push(width);
      if (width > 0) {
        window += 1;
        return Promise.resolve();
      }
      answer = deferred();
      if (!isSlow) answer.resolve();
      return answer.promise;
    },
    cancel: async () => {},
    close: async () => {},
  };
  const handedOn: Delivery[] = [];
  const pause = new Pause({ paused() {}, resumed() {} } as unknown as ConsumerEvents);
  const subscription = { kind: 'work', handlers: [], ...its } as unknown as Subscription;
  const lane = new LaneConsumer(
    { name: 'default', queue: 'q', weight: 1, subscription },
    {
      session: { consume: async () => consumer } as unknown as Session,
      clock: new ManualClock(),
      log: silentLogger,
      pause,
      prefetch,
      keptForMs: 1,
      blocked: () => blocked,
      index: 0,
      intake: { admit: (delivery) => void handedOn.push(delivery) },
      onResized: () => {},
      onLost: () => {},
      consumerEvents: { missed() {} },
    },
  );
  pause.governs([lane], () => {});
  await lane.start();
  const delivered = (deliveryCount = 0) => {
    const delivery = new TestDelivery({ deliveryCount, window });
    lane.deliver(delivery);
    return delivery;
  };
  const settle = (delivery: TestDelivery) => void lane.settled(delivery);
  const asked = (expected: readonly number[]) => eventually(() => assert.deepEqual(widths, expected));
  /** With its window open, and nothing here. */
  const opened = async () => {
    settle(delivered());
    await asked([prefetch]);
    widths.length = 0;
  };
  const block = (count: number) => {
    blocked = count;
  };
  return { lane, pause, delivered, settle, asked, opened, handedOn, block, answer: () => answer.resolve() };
}

const times = (count: number) => Array.from({ length: count }, (_none, index) => index);

describe('a lane', () => {
  it('keeps what it has while it is paused, a suspect too, and takes one at a time until that is settled', async () => {
    const { pause, delivered, settle, asked, opened, answer } = await open();
    await opened();
    const pausing = pause.add('operator');
    await asked([0]);
    const suspect = delivered(3);
    answer();
    await pausing;
    pause.remove('operator');
    await asked([0, 1]);
    settle(suspect);
    settle(delivered());
    await asked([0, 1, 10]);
  });

  it('with a single active consumer forgets a suspect that is settled, and those that it leaves', async () => {
    const { lane, delivered, settle } = await open(10, false, { singleActive: true });
    const handled = delivered(3);
    settle(handled);
    assert.equal(lane.suspects, 0);
    handled.lost = true;
    const left = delivered(3);
    assert.equal(lane.suspects, 1);
    left.lost = true;
    await lane.stopTaking();
    await lane.left;
    assert.equal(lane.suspects, 0);
  });

  it('has nothing of a lost channel wait for a change of the window', async () => {
    const { lane, pause, delivered, answer } = await open();
    const [lost, held] = [delivered(), delivered()];
    void pause.add('operator');
    pause.remove('operator');
    lost.lost = true;
    assert.equal(lane.settled(lost), undefined);
    assert.ok(lane.settled(held) instanceof Promise);
    answer();
  });

  it('has two windows of messages here at most, however often it is paused and resumed', async () => {
    const { pause, delivered, settle, asked, opened } = await open(2, false);
    await opened();
    const cycle = async () => {
      await pause.add('operator');
      pause.remove('operator');
    };
    const first = times(2).map(() => delivered());
    await cycle();
    await asked([0, 2]);
    const second = times(2).map(() => delivered());
    for (let again = 0; again < 5; again += 1) await cycle();
    await asked([0, 2, ...times(10).map(() => 0)]);
    for (const delivery of first) settle(delivery);
    await asked([0, 2, ...times(10).map(() => 0), 2]);
    for (const delivery of second) settle(delivery);
  });

  it('opens another window, twice as wide, when all of one waits, and not before, up to ten in all', async () => {
    const { lane, delivered, settle, asked, opened, block } = await open(2);
    await opened();
    const running = delivered();
    lane.widen();
    await asked([]);
    delivered();
    block(1);
    lane.widen();
    await asked([4]);
    lane.widen();
    await asked([4]);
    const widths = [4, 8, 6];
    for (const [place, width] of widths.entries()) {
      for (const _each of times(width)) delivered();
      block(19);
      lane.widen();
      // Twenty in all are ten windows.
      await asked(widths.slice(0, place + 2));
    }
    settle(running);
  });

  it('opens no other window while a suspect is here, which is to die alone', async () => {
    const { lane, delivered, settle, asked, opened, block } = await open(2);
    await opened();
    const before = delivered();
    const suspect = delivered(3);
    await asked([1]);
    delivered();
    block(2);
    lane.widen();
    await eventually(() => {});
    await asked([1]);
    settle(suspect);
    settle(before);
  });

  it('fetches no more than ever when only one of its channels has gone, as while it moves', async () => {
    const { lane, pause, delivered, settle, asked, opened } = await open(2, false);
    await opened();
    const cycle = async () => {
      await pause.add('operator');
      pause.remove('operator');
    };
    const elsewhere = times(2).map(() => delivered());
    lane.lost(new Error('the other channel'));
    for (const delivery of elsewhere) settle(delivery);
    for (const _each of times(2)) delivered();
    await cycle();
    await asked([0, 2]);
    for (const _each of times(2)) delivered();
    await cycle();
    await eventually(() => {});
    await asked([0, 2, 0, 0]);
  });

  it('hands on what comes while it is cancelled: given back at once, it would come again and again', async () => {
    const { lane, delivered, handedOn } = await open();
    const cancelling = lane.cancel();
    const late = delivered();
    await cancelling;
    assert.deepEqual(handedOn, [late]);
    assert.equal(late.settled, undefined);
    assert.equal(delivered().settled, 'requeue');
  });
});
