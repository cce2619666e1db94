import assert from 'node:assert/strict';
import { Canary } from '../../../src/failures/operations/canary.js';
import type { CanaryProgress } from '../../../src/failures/operations/operation.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

function canaryOf(before?: CanaryProgress) {
  const clock = new ManualClock();
  const ending = new AbortController();
  const stopped: string[] = [];
  const canary = new Canary({
    ...{ clock, pace: { turn: async () => {} }, reportWithinMs: 300, before },
    stop: (why) => {
      stopped.push(why);
      ending.abort();
    },
  });
  const replay = async (id: string) => {
    await canary.turn(ending.signal);
    canary.sent(id);
  };
  /** Up to the rest. */
  const toRest = async () => {
    for (let each = 0; each < 11; each += 1) {
      await replay(`first${each}`);
      canary.heard(`first${each}`, 'handled');
    }
  };
  const finish = async () => {
    const finishing = canary.finish(ending.signal);
    await clock.advance(1_000);
    await finishing;
  };
  return { canary, stopped, replay, toRest, finish };
}

describe('a canary', () => {
  it('of whose rest a few reports are lost comes to its end, and counts them', async () => {
    const { canary, stopped, replay, toRest, finish } = canaryOf();
    await toRest();
    for (let each = 0; each < 50; each += 1) {
      await replay(`m${each}`);
      if (each % 10 !== 3) canary.heard(`m${each}`, 'handled');
    }
    await finish();
    assert.deepEqual(stopped, []);
    assert.deepEqual([canary.progress.handled, canary.progress.unheard], [56, 5]);
  });

  it('of whose rest most is not reported on stops', async () => {
    const { stopped, replay, toRest, finish } = canaryOf();
    await toRest();
    for (let each = 0; each < 12; each += 1) await replay(`m${each}`);
    await finish();
    assert.match(stopped[0] ?? '', /^no worker has reported on 12 replays for 300 ?ms: none may run/);
  });

  it('that hears nothing says so if its connection was away', async () => {
    const { canary, stopped, replay, finish } = canaryOf();
    await replay('m1');
    canary.missed();
    await finish();
    assert.match(stopped[0] ?? '', /the connection was away meanwhile, so that reports may be lost/);
  });

  it('waits for each message of a pack, of which one that fails counts for all', async () => {
    const { canary, stopped } = canaryOf();
    canary.sent('pack', 3);
    canary.heard('pack', 'handled');
    canary.heard('pack', 'handled');
    assert.deepEqual([canary.progress.handled, canary.progress.unheard], [0, 1]);
    canary.heard('pack', 'back', 'TypeError: no');
    assert.deepEqual([canary.progress.cameBack, canary.progress.unheard], [1, 0]);
    assert.deepEqual(stopped, ['the same failure came back: TypeError: no']);
  });

  it('that was taken on does not stop for what failed in another process', async () => {
    const before = { stage: 'rest', handled: 5_000, cameBack: 0, failedOtherwise: 9, unheard: 0 } as const;
    const { canary, stopped, replay, toRest } = canaryOf(before);
    await toRest();
    for (let each = 0; each < 20; each += 1) {
      await replay(`m${each}`);
      canary.heard(`m${each}`, each < 9 ? 'otherwise' : 'handled');
    }
    assert.deepEqual(stopped, []);
    assert.equal(canary.progress.failedOtherwise, 18);
    await replay('tenth');
    canary.heard('tenth', 'otherwise', 'RangeError: too late');
    assert.match(stopped[0] ?? '', /^10 replays failed in another way than before, at last: RangeError/);
  });
});
