import assert from 'node:assert/strict';
import { type Generation, Generations } from '../../../src/topology/generations.js';
import { Names } from '../../../src/topology/names.js';
import { StandingQueue } from '../../../src/transport/amqp/topology/standing-queue.js';
import { deferred } from '../../../src/util/deferred.js';

const stands = (its: Partial<Generation>): ReadonlyMap<string, Generation> =>
  new Map([['ledger', { name: 'ledger', type: 'classic', isMoving: true, ...its }]]);

describe('what stands for queues in the broker', () => {
  it('is read again after a loss, once for all who ask, and once more if another loss comes meanwhile', async () => {
    const generations = new Generations(new Names());
    const reads = [deferred<void>(), deferred<void>(), deferred<void>()];
    let count = 0;
    generations.read = () => reads[count++]?.promise ?? Promise.reject(new Error('read too often'));
    await generations.certain();
    assert.equal(count, 0, 'nothing was lost');
    generations.doubt();
    const asked = Promise.all([generations.certain(), generations.certain()]);
    generations.doubt();
    for (const read of reads) read.resolve();
    await asked;
    await generations.certain();
    assert.equal(count, 2);
  });

  it('stays in doubt when it could not be read', async () => {
    const generations = new Generations(new Names());
    generations.doubt();
    generations.read = () => Promise.reject(new Error('no answer'));
    await assert.rejects(generations.certain(), /no answer/);
    let count = 0;
    generations.read = async () => {
      count += 1;
    };
    await generations.certain();
    assert.equal(count, 1);
  });

  it('has a consumer consume anew when another queue stands there, or it is held back no more, and not while it is held', () => {
    const generations = new Generations(new Names());
    let another = 0;
    const standing = new StandingQueue({ queue: 'ledger', generations, once: false }, () => {
      another += 1;
    });
    try {
      assert.equal(standing.take(), 'ledger');
      generations.replace(stands({ isHeld: true }));
      assert.equal(another, 0);
      assert.equal(standing.take(), undefined);
      generations.replace(stands({}));
      assert.equal(another, 1);
      assert.equal(standing.take(), 'ledger');
      assert.equal(standing.isAnother, false);
      generations.replace(stands({ name: 'ledger~2', isMoving: false }));
      assert.equal(another, 2);
      assert.equal(standing.take(), 'ledger~2');
    } finally {
      standing.end();
    }
    generations.replace(stands({}));
    assert.equal(another, 2, 'it has ended');
  });

  it('asks no more for a queue that is held back once its window is closed', () => {
    const generations = new Generations(new Names());
    generations.replace(stands({ isHeld: true }));
    const standing = new StandingQueue({ queue: 'ledger', generations, once: false }, () => {});
    try {
      assert.equal(standing.take(), undefined);
      assert.equal(standing.isAnother, false);
      standing.leave();
      generations.replace(stands({}));
      assert.equal(standing.isAnother, false, 'whoever opens the window takes it anew');
    } finally {
      standing.end();
    }
  });

  it('is a queue of somebody else, whatever its name is like, unless it was migrated', () => {
    const generations = new Generations(new Names());
    generations.replace(stands({ name: 'ledger~2', isMoving: false }));
    assert.equal(generations.standsFor('ledger~2'), 'ledger');
    assert.equal(generations.standsFor('ledger~1'), 'ledger~1');
    assert.equal(generations.standsFor('batch~3'), 'batch~3');
    generations.replace(stands({ isMoving: true }));
    assert.equal(generations.standsFor('ledger~2'), 'ledger', 'while it is migrated');
  });
});
