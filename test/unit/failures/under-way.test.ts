import assert from 'node:assert/strict';
import { UnderWay } from '../../../src/failures/acting/under-way.js';

const MIB = 1_024 * 1_024;

/** True if the promise is settled by now. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  const later = Symbol('later');
  const turn = new Promise((resolve) => setImmediate(() => resolve(later)));
  return (await Promise.race([promise, turn])) !== later;
}

describe('actions under way', () => {
  it('are a thousand, and the next waits for one of them', async () => {
    const underWay = new UnderWay();
    for (let count = 0; count < 1_000; count += 1) {
      assert.ok(underWay.hasRoomFor(10));
      underWay.began(10);
    }
    const room = underWay.roomFor(10);
    assert.equal(await isSettled(room), false);
    underWay.ended(10);
    await room;
    assert.ok(underWay.hasRoomFor(10));
  });

  it('keep sixteen MiB of bodies, or one that is larger', async () => {
    const underWay = new UnderWay();
    assert.ok(underWay.hasRoomFor(100 * MIB), 'alone');
    underWay.began(10 * MIB);
    assert.ok(underWay.hasRoomFor(6 * MIB));
    const room = underWay.roomFor(7 * MIB);
    assert.equal(await isSettled(room), false);
    underWay.ended(10 * MIB);
    await room;
  });

  it('are over when the last of them has ended', async () => {
    const underWay = new UnderWay();
    await underWay.over();
    underWay.began(1);
    underWay.began(2);
    const over = underWay.over();
    underWay.ended(1);
    assert.equal(await isSettled(over), false);
    underWay.ended(2);
    await over;
  });
});
