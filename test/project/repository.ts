import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

/** The repository's top: these tests run from dist/test/project. */
export const root = resolve(import.meta.dirname, '../../..');

export const run = promisify(execFile);

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Whether `path`, relative to the top, exists. */
export function exists(path: string): boolean {
  return existsSync(join(root, path));
}

export interface EntryPoint {
  readonly types: string;
  readonly default: string;
}

export interface Manifest {
  readonly name: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
  readonly bin: { readonly hopline: string };
  readonly exports: { readonly '.': EntryPoint } & Readonly<Record<string, string | EntryPoint>>;
}

export const manifest = JSON.parse(read('package.json')) as Manifest;

/** The TypeScript files below `directories`, relative to the top, with forward slashes. */
export function typeScriptFiles(...directories: string[]): string[] {
  return directories.filter(exists).flatMap((directory) =>
    readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
      .sort(),
  );
}
