import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as one from '../../../decorators/index.js';
import { compiled, KINDS } from './kinds.js';

describe('two copies of hopline/decorators in one process', () => {
  const copy = resolve(import.meta.dirname, '../../../decorators-copy');
  let other: typeof one;
  before(async () => {
    cpSync(resolve(import.meta.dirname, '../../../decorators'), copy, { recursive: true });
    other = await import(pathToFileURL(resolve(copy, 'index.js')).href);
    assert.notEqual(other.Handles, one.Handles);
  });
  after(() => rmSync(copy, { recursive: true, force: true }));

  for (const kind of KINDS)
    it(`read what the other has recorded, compiled as ${kind.name}`, async () => {
      const { copied } = await compiled<typeof one>('copied', kind);
      for (const [decorators, { handlers }] of [
        [one, other],
        [other, one],
      ] as const)
        assert.deepEqual(
          handlers([copied?.(decorators) as never]).map(({ name, queue, options }) => [
            name,
            queue.name,
            options.retry,
          ]),
          [['Copied.onA', 'copied', { tries: 2 }]],
        );
    });
});
