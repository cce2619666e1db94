import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * Installs a package's peers, those of the bench unless a folder is given, unless what is installed is what its lock file says.
 * With `--this-platform` the lock file need not name optional packages for other platforms.
 */

const [given, ...flags] = process.argv.slice(2);
const folder = given ? resolve(given) : import.meta.dirname;
const isForThisPlatform = flags.includes('--this-platform');
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
  const args = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--engine-strict=false'];
  // A mirror may hold packages for this platform alone; `npm ci` refuses a lock file that names no others.
  const install = isForThisPlatform ? ['install', '--no-save'] : ['ci'];
  execFileSync('npm', [...install, ...args], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
}
