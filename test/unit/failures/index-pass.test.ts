import assert from 'node:assert/strict';
import { IndexPass } from '../../../src/failures/groups/index-pass.js';
import type { Read } from '../../../src/failures/groups/indexed.js';
import { LetterStore } from '../../../src/failures/groups/letter-store.js';

const letter = (id: string, deadQueue = 'a.dead', failedAt = 1) =>
  ({
    kept: { id, common: { deadQueue, group: 'g' }, failedAt },
    fingerprint: { id: 'g' },
  }) as unknown as Read;

/** A store that has letters of one queue. */
function storeWith(most: number, ...ids: string[]): LetterStore {
  const store = new LetterStore(most);
  for (const id of ids) store.add(letter(id), false);
  return store;
}

describe('a pass of the index through a queue', () => {
  it('keeps what was there until it is over, where there is room for both', () => {
    const store = storeWith(10, 'old 1', 'old 2');
    const pass = new IndexPass(store, 'a.dead', 10);
    for (const id of ['new 1', 'new 2', 'new 3']) pass.see(() => letter(id));
    assert.equal(store.count, 2);
    pass.end();
    assert.deepEqual([store.count, store.leftOut], [3, 0]);
  });

  it('never holds more letters than the index may have, those that were there included', () => {
    const store = storeWith(4, 'old 1', 'old 2', 'old 3');
    const pass = new IndexPass(store, 'a.dead', 4);
    let made = 0;
    for (let id = 0; id < 6; id += 1) {
      pass.see(() => {
        made += 1;
        return letter(`new ${id}`);
      });
      assert.ok(store.count + made <= 4);
    }
    pass.heard(letter('late', 'a.dead', 2));
    assert.equal(pass.seen, 6);
    pass.end();
    assert.deepEqual([store.count, store.leftOut], [4, 3]);
  });

  it('leaves the letters of other queues alone', () => {
    const store = storeWith(3);
    for (const id of ['b 1', 'b 2']) store.add(letter(id, 'b.dead'), false);
    const pass = new IndexPass(store, 'a.dead', 3);
    for (const id of ['a 1', 'a 2']) pass.see(() => letter(id));
    pass.end();
    assert.deepEqual([store.countOf('b.dead'), store.countOf('a.dead'), store.leftOut], [2, 2, 1]);
  });

  it('begins anew with nothing', () => {
    const store = storeWith(3);
    const pass = new IndexPass(store, 'a.dead', 3);
    for (const id of ['1', '2', '3', '4']) pass.see(() => letter(id));
    pass.again();
    assert.equal(pass.seen, 0);
    pass.see(() => letter('1'));
    pass.end();
    assert.deepEqual([store.count, store.leftOut], [1, 0]);
  });
});
