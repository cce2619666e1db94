import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { root, run } from './repository.js';

export interface PackedFile {
  readonly path: string;
  readonly size: number;
}

export interface Tarball {
  readonly path: string;
  readonly unpackedSize: number;
  readonly files: readonly PackedFile[];
}

/**
 * Packs what a clone of this repository would have, were all committed that isn't ignored: nothing that was built here. The
 * installed packages are those of this repository.
 *
 * @param folder is left with the clone and the tarball in it
 */
export async function packClone(folder: string): Promise<Tarball> {
  const clone = join(folder, 'clone');
  const listing = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  const { stdout: files } = await run('git', listing, { cwd: root, maxBuffer: 16 * 1024 * 1024 });
  for (const file of files.split('\0').filter((each) => each !== '')) {
    await mkdir(join(clone, dirname(file)), { recursive: true });
    await cp(join(root, file), join(clone, file)).catch(ignoreDeleted);
  }
  await symlink(join(root, 'node_modules'), join(clone, 'node_modules'));
  const args = ['pack', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: clone, maxBuffer: 16 * 1024 * 1024 });
  const [packed] = JSON.parse(stdout) as [Omit<Tarball, 'path'> & { filename: string }];
  return { ...packed, path: join(folder, packed.filename) };
}

/** An empty ES module application in which npm has installed these packages, from its cache if it has them. */
export async function application(folder: string, ...packages: string[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'package.json'),
    '{ "name": "application", "private": true, "type": "module" }',
  );
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  await run('npm', ['install', ...quiet, ...packages], { cwd: folder });
  return folder;
}

/** It may still be in the index. */
function ignoreDeleted(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
