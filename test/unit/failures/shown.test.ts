import assert from 'node:assert/strict';
import { Shown } from '../../../src/failures/reading/shown.js';

describe('letters that were shown', () => {
  it('are known when they come again, each copy once, and the others are not', () => {
    const shown = new Shown();
    for (const id of ['a', 'b', 'b']) shown.add(id);
    assert.equal(shown.was('a'), false, 'another letter with this id, as long as they have not come again');
    shown.again();
    const asked = ['b', 'c', 'a', 'b', 'b', 'a'].map((id) => shown.was(id));
    assert.deepEqual(asked, [true, false, true, true, false, false]);
    shown.again();
    assert.equal(shown.was('a'), true, 'from the first again');
  });

  it('have digests that tell a hundred thousand ids apart', () => {
    const shown = new Shown();
    const idOf = (number: number) => `0192f0c1-7b5a-7c3e-8d21-${number.toString(16).padStart(12, '0')}`;
    for (let number = 0; number < 50_000; number += 1) shown.add(idOf(number));
    shown.again();
    for (let number = 50_000; number < 100_000; number += 1) assert.equal(shown.was(idOf(number)), false);
    for (let number = 0; number < 50_000; number += 1) assert.equal(shown.was(idOf(number)), true);
  });
});
