import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Installs the peers, unless what is installed is what the lock file says. */

const locked = join(import.meta.dirname, 'package-lock.json');
const installed = join(import.meta.dirname, 'node_modules/.package-lock.json');

/** What both files say of a package that comes from a registry. @param {string} path */
function packagesIn(path) {
  const { packages } = JSON.parse(readFileSync(path, 'utf8'));
  return new Map(
    Object.entries(packages)
      .filter(([name, { link }]) => name.startsWith('node_modules/') && !link)
      .map(([name, { version, optional }]) => [name, { version, optional }]),
  );
}

function isInstalled() {
  if (!existsSync(installed)) return false;
  const there = packagesIn(installed);
  // One for another platform is left out.
  return [...packagesIn(locked)].every(
    ([name, { version, optional }]) => there.get(name)?.version === version || (optional && !there.has(name)),
  );
}

if (!isInstalled()) {
  const args = ['ci', '--silent', '--no-audit', '--no-fund', '--ignore-scripts'];
  execFileSync('npm', args, { cwd: import.meta.dirname, stdio: ['ignore', 'inherit', 'inherit'] });
}
