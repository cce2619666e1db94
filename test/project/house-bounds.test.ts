import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { read, typeScriptFiles } from './repository.js';

const MAX_LINES = 300;
const MAX_FILES = 20;

/** Files over the bound, each with its number of lines. */
const tooLong = (files: readonly { readonly path: string; readonly text: string }[]): string[] =>
  files
    .map(({ path, text }) => ({ path, lines: text.replace(/\n$/, '').split('\n').length }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path}: ${lines} lines`);

/** Folders over the bound, each with its number of files; folders within them are counted for themselves. */
function tooFull(paths: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const path of paths) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > MAX_FILES)
    .map(([folder, count]) => `${folder}: ${count} files`);
}

describe('the bounds of the house', () => {
  const paths = typeScriptFiles('src', 'decorators');

  it(`hold for files: none has more than ${MAX_LINES} lines`, () => {
    assert.notEqual(paths.length, 0);
    assert.deepEqual(tooLong(paths.map((path) => ({ path, text: read(path) }))), []);
  });

  it(`hold for folders: none has more than ${MAX_FILES} files of its own`, () => {
    assert.deepEqual(tooFull(paths), []);
  });

  it('are seen to be broken by one line, or one file, too many', () => {
    const file = (lines: number) => ({ path: `src/${lines}.ts`, text: 'x\n'.repeat(lines) });
    assert.deepEqual(tooLong([file(MAX_LINES), file(MAX_LINES + 1)]), [
      `src/${MAX_LINES + 1}.ts: ${MAX_LINES + 1} lines`,
    ]);
    const folder = (name: string, count: number) =>
      Array.from({ length: count }, (_, index) => `src/${name}/${index}.ts`);
    const files = [...folder('a', MAX_FILES), ...folder('b', MAX_FILES + 1), ...folder('b/c', 1)];
    assert.deepEqual(tooFull(files), [`src/b: ${MAX_FILES + 1} files`]);
  });
});
