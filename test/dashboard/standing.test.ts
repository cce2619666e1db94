import assert from 'node:assert/strict';
import { keptOrder, merged } from '../../src/dashboard/client/live/standing.js';

describe('the rows of a table that somebody reads', () => {
  it('stay in their places, and what is new comes after what it follows', () => {
    assert.deepEqual(merged(['a', 'b', 'c'], ['c', 'a', 'b']), ['a', 'b', 'c']);
    assert.deepEqual(merged(['a', 'b', 'c'], ['new', 'c', 'a', 'next']), ['new', 'a', 'next', 'c']);
    assert.deepEqual(merged([], ['a', 'b']), ['a', 'b']);
    assert.deepEqual(merged(['a'], []), []);
  });

  it('go where they belong once nobody has touched the page for a minute', () => {
    let now = 0;
    const { keep, touched } = keptOrder(() => now);
    assert.deepEqual(keep('groups', ['a', 'b']), ['a', 'b']);
    now = 50_000;
    assert.deepEqual(keep('groups', ['b', 'a']), ['a', 'b']);
    touched();
    now = 109_000;
    assert.deepEqual(keep('groups', ['b', 'a']), ['a', 'b']);
    now = 111_000;
    assert.deepEqual(keep('groups', ['b', 'a']), ['b', 'a']);
    now = 112_000;
    assert.deepEqual(keep('groups', ['a', 'b']), ['b', 'a']);
  });

  it('are those of one table each', () => {
    const { keep } = keptOrder(() => 0);
    keep('groups', ['a', 'b']);
    assert.deepEqual(keep('letters', ['b', 'a']), ['b', 'a']);
  });
});
