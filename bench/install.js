import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Installs a package's peers, those of the bench unless a folder is given, unless what is installed is what its lock file says. */

const folder = process.argv[2] ? resolve(process.argv[2]) : import.meta.dirname;
const locked = join(folder, 'package-lock.json');
const installed = join(folder, 'node_modules/.package-lock.json');

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
  // What runs there may need a newer Node.js, and brings it: this repository's own strictness is none of it.
  const args = ['ci', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--engine-strict=false'];
  execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
}
