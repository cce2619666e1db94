import assert from 'node:assert/strict';
import { PrefetchWindow } from '../../../src/consume/intake/prefetch-window.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { TestDelivery } from './fixtures.js';

describe('the prefetch window', () => {
  let clock: ManualClock;
  let sizes: number[];
  let window: PrefetchWindow;
  beforeEach(() => {
    clock = new ManualClock();
    sizes = [];
    window = new PrefetchWindow(20, (width) => sizes.push(width), clock);
  });
  afterEach(() => {
    window.stop();
    assert.equal(clock.armed, 0, 'a timer was left behind');
  });

  const delivered = (deliveryCount = 0) => {
    const delivery = new TestDelivery({ deliveryCount });
    window.delivered(delivery);
    return delivery;
  };

  it('begins with one message, and is full once one that is no suspect is settled', () => {
    assert.equal(window.width, 1);
    const first = delivered();
    assert.deepEqual(sizes, []);
    window.settled(first);
    assert.deepEqual(sizes, [20]);
    for (let more = 0; more < 5; more += 1) window.settled(delivered());
    assert.deepEqual(sizes, [20], 'and is not asked for again');
  });

  it('takes a message that came back twice for unlucky, one that came back three times for a suspect', () => {
    window.settled(delivered());
    delivered(2);
    assert.deepEqual(sizes, [20]);
    delivered(3);
    assert.deepEqual(sizes, [20, 1]);
  });

  it('stays at one while it holds suspects, whatever else is settled', () => {
    const innocent = [delivered()];
    window.settled(innocent[0] as TestDelivery);
    innocent.push(delivered(), delivered());
    const suspects = [delivered(3), delivered(7)];
    for (const delivery of innocent) window.settled(delivery);
    window.settled(suspects[0] as TestDelivery);
    assert.deepEqual(sizes, [20, 1]);
    window.settled(suspects[1] as TestDelivery);
    assert.deepEqual(sizes, [20, 1], 'a suspect that was settled proves nothing about what comes next');
    window.settled(delivered());
    assert.deepEqual(sizes, [20, 1, 20]);
  });

  it('learns nothing from what goes back as it came, but that it is no longer here', () => {
    window.returned(delivered());
    assert.deepEqual(sizes, []);
    window.settled(delivered());
    const suspect = delivered(3);
    window.returned(suspect);
    assert.deepEqual(sizes, [20, 1]);
    window.settled(delivered());
    assert.deepEqual(sizes, [20, 1, 20]);
  });

  it('widens when a first message has run for a second: a crash would have come by then', async () => {
    delivered();
    await clock.advance(999);
    assert.deepEqual(sizes, []);
    await clock.advance(1);
    assert.deepEqual(sizes, [20]);
  });

  it('does not widen by time while it holds a suspect', async () => {
    delivered();
    await clock.advance(500);
    delivered(3);
    await clock.advance(60_000);
    assert.deepEqual(sizes, []);
  });

  it('forgets the suspects of a lost channel', () => {
    window.settled(delivered());
    const suspect = delivered(3);
    suspect.lost = true;
    window.reset();
    window.settled(suspect);
    assert.deepEqual(sizes, [20, 1], 'its handler may well end after its channel: that proves nothing');
    window.settled(delivered());
    assert.deepEqual(sizes, [20, 1, 20]);
  });

  it('of one stays one', () => {
    window = new PrefetchWindow(1, (width) => sizes.push(width), clock);
    window.settled(delivered());
    delivered(3);
    assert.deepEqual(sizes, []);
  });
});
