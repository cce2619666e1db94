import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../project/repository.js';

/** A file of bench/, which is a package of its own, of plain JavaScript: the compiler doesn't look into it. */
// biome-ignore lint/suspicious/noExplicitAny: it has types in its comments only
export function bench(path: string): Promise<any> {
  return import(pathToFileURL(join(root, 'bench', path)).href);
}
