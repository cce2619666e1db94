import { readFileSync } from 'node:fs';

/** Of the package that this is part of. */
export function version(): string {
  // By the package's own name: how many folders it lies above is another matter in the built package.
  const manifest = readFileSync(new URL(import.meta.resolve('hopline/package.json')), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
