import assert from 'node:assert/strict';
import { ErrorGroups } from '../../../src/consume/report/error-groups.js';

function groupsOf(...errors: readonly unknown[]): ErrorGroups {
  const groups = new ErrorGroups();
  for (const [at, error] of errors.entries()) groups.add(error, at);
  return groups;
}

describe('the last errors of a handler', () => {
  it('are grouped by kind: each with its number, and the message of the latest in one line', () => {
    const groups = groupsOf(new TypeError('first'), new Error('other'), new TypeError('a\n  b'));
    assert.deepEqual(groups.read(), [
      { kind: 'TypeError', message: 'a b', count: 2, lastAt: 2 },
      { kind: 'Error', message: 'other', count: 1, lastAt: 1 },
    ]);
  });

  it('are few and short, however many there are', () => {
    const coded = (code: string) => Object.assign(new Error('x'.repeat(1_000)), { code });
    const groups = groupsOf(...['A', 'B', 'A', 'C', 'D', 'E', 'F'].map(coded)).read();
    assert.deepEqual(
      groups.map(({ kind }) => kind),
      ['F', 'E', 'D', 'C', 'A'].map((code) => `Error ${code}`),
    );
    assert.ok(groups.every(({ message }) => message.length <= 200));
  });

  it('of several processes become one list', () => {
    const here = groupsOf(new TypeError('here'), new RangeError('only here'));
    const there = groupsOf(new Error('first'), new Error('second'), new TypeError('there'));
    assert.deepEqual(ErrorGroups.of([here.read(), there.read()]), [
      { kind: 'TypeError', message: 'there', count: 2, lastAt: 2 },
      { kind: 'Error', message: 'second', count: 2, lastAt: 1 },
      { kind: 'RangeError', message: 'only here', count: 1, lastAt: 1 },
    ]);
  });
});
