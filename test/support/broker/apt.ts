import { execFile } from 'node:child_process';
import { access, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { underLock } from './file-lock.js';
import { Guard } from './guard.js';
import { Declined } from './way.js';

/** Test processes beside each other may miss the same package: apt-get gives up where another one works. */
const LOCK = '/var/lock/hopline-tests';
const POLICY = '/usr/sbin/policy-rc.d';
const FORBID_SERVICES = '#!/bin/sh\nexit 101\n';
const APT_TIMEOUT_MS = 240_000;

/**
 * Installs a package of the distribution's without starting any service of it, and says so on standard error first.
 * Takes a minute or so.
 *
 * @returns nothing if it is installed now, else why it isn't
 */
export async function installPackage(name: string): Promise<Declined | undefined> {
  if (!(await exists('/etc/debian_version'))) return new Declined('this is no Debian or Ubuntu');
  if (process.getuid?.() !== 0) return new Declined('only root may install a package');
  process.stderr.write(`tests: installing ${name} with apt-get\n`);
  try {
    await underLock(LOCK, () => withoutServices(() => install(name)));
    return undefined;
  } catch (error) {
    return new Declined(`apt-get could not install ${name}: ${(error as Error).message}`);
  }
}

async function install(name: string): Promise<void> {
  const args = ['install', '--yes', '--no-install-recommends', name];
  try {
    await aptGet(args);
  } catch {
    // Most likely its lists are missing, as in every slim image, or older than the mirror.
    await aptGet(['update']);
    await aptGet(args);
  }
}

async function aptGet(args: string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await promisify(execFile)('apt-get', ['--quiet', ...args], {
    env,
    timeout: APT_TIMEOUT_MS,
    maxBuffer: 2 ** 26,
  });
}

/**
 * The package starts a node of the system's, on the standard ports, unless this file forbids it. One that is there
 * already is the administrator's, and stays; ours is removed even if this process is killed meanwhile.
 */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  if (await exists(POLICY)) return work();
  const guard = new Guard(POLICY);
  try {
    await writeFile(POLICY, FORBID_SERVICES, { mode: 0o755, flag: 'wx' });
    await work();
  } finally {
    await guard.release();
  }
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
