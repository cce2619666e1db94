import assert from 'node:assert/strict';
import { testTitles } from './test-titles.js';

/** How many faults the matrix has. */
const ROWS = 53;

/** The numbers of one tag: `[row 19]`, `[rows 26, 27]`. */
const TAG = /\[rows? (\d+(?:, \d+)*)\]/g;

describe('the fault matrix', () => {
  it(`has a test for each of its ${ROWS} rows, named by its number in the title`, async () => {
    const titles = (await testTitles()).map(({ fullTitle }) => fullTitle);
    const tested = new Set(
      titles.flatMap((title) =>
        [...title.matchAll(TAG)].flatMap(([, numbers = '']) => numbers.split(', ').map(Number)),
      ),
    );
    const rows = Array.from({ length: ROWS }, (_, index) => index + 1);
    assert.deepEqual(
      rows.filter((row) => !tested.has(row)),
      [],
      'rows without a test',
    );
    assert.deepEqual(
      [...tested].filter((row) => !rows.includes(row)),
      [],
      'numbers that are no row',
    );
  }).timeout(60_000);

  it('has no number in a title that is written in another way', async () => {
    const titles = (await testTitles()).map(({ fullTitle }) => fullTitle);
    const odd = titles.filter((title) => /\brows? \d/i.test(title.replace(TAG, '')));
    assert.deepEqual(odd, []);
  }).timeout(60_000);
});
