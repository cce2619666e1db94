import assert from 'node:assert/strict';
import { read } from './repository.js';
import { testTitles } from './test-titles.js';

const page = read('docs/reliability.md');

/** Titles stand in italics, in the tables. */
const named = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .flatMap((line) => [...line.matchAll(/\*([^*]+)\*/g)].map(([, title = '']) => title));

describe('docs/reliability.md', () => {
  it('names tests that exist, by their exact titles', async () => {
    assert.ok(named.length > 20, `only ${named.length} tests were found on the page`);
    const titles = new Set((await testTitles()).flatMap(({ title, fullTitle }) => [title, fullTitle]));
    assert.deepEqual(
      named.filter((title) => !titles.has(title)),
      [],
    );
  }).timeout(60_000);

  it('names a test for each promise', () => {
    const promises = page.split('## What is promised')[1]?.split('## What is not promised')[0] ?? '';
    const rows = promises.split('\n').filter((line) => /^\| (?!---|promise |while )/.test(line));
    assert.ok(rows.length > 15, `${rows.length} rows`);
    assert.deepEqual(
      rows.filter((row) => !/\| \*.*\* \|$/.test(row)),
      [],
    );
  });

  it('has the place where a chaos run puts its figures', () => {
    assert.match(page, /<!-- chaos:start -->\n.+\n<!-- chaos:end -->/s);
  });
});
