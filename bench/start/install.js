import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * @typedef {object} Installed  a package as a service has it
 * @property {string} name
 * @property {string} folder  of the service; its app.js is that of the bench
 * @property {string} main  what the command `hopline` runs
 * @property {number} bytes
 * @property {number} packages
 */

/**
 * Packs a checkout, which is built, as it would be published, and installs it into an empty service.
 *
 * @param {string} name  how tables call it
 * @param {string} checkout  its folder
 * @param {string} parent  where the service's folder is made
 * @returns {Installed}
 */
export function packAndInstall(name, checkout, parent) {
  const folder = mkdtempSync(join(parent, 'service-'));
  const pack = ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const [{ filename, unpackedSize }] = JSON.parse(npm(pack, resolve(checkout)));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  npm(['install', '--silent', '--no-audit', '--no-fund', `./${filename}`], folder);
  copyFileSync(join(import.meta.dirname, 'app.js'), join(folder, 'app.js'));
  const root = join(folder, 'node_modules/hopline');
  const { packages } = json(join(folder, 'node_modules/.package-lock.json'));
  return {
    name,
    folder,
    main: join(root, json(join(root, 'package.json')).bin.hopline),
    bytes: unpackedSize,
    packages: Object.keys(packages).length,
  };
}

/** @param {string[]} args @param {string} cwd */
function npm(args, cwd) {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** @param {string} file */
const json = (file) => JSON.parse(readFileSync(file, 'utf8'));
