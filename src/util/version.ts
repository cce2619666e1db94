import { readFileSync } from 'node:fs';

/** The version of the package that this file is part of. */
export function version(): string {
  // The manifest is found by the package's own name: the number of folders above this file differs in the
  // built package.
  const manifest = readFileSync(new URL(import.meta.resolve('hopline/package.json')), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
