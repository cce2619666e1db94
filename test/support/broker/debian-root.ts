import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { exists } from './apt.js';
import { serverFiles } from './server-files.js';
import { type Command, type ServerProgram, versionIn } from './server-program.js';

/** Which of Debian's suites holds which RabbitMQ. */
const SUITES = { '4.0': 'trixie', '4.3': 'sid' } as const;
export type DebianVersion = keyof typeof SUITES;

export const DEBIAN_VERSIONS = Object.keys(SUITES) as readonly DebianVersion[];

const APT_TIMEOUT_MS = 240_000;
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * A RabbitMQ of another Debian than this one: its packages, unpacked into a root of their own and run there. The very
 * build that Debian ships, without an effect on the system's. Unpacked once, in 20 to 60 seconds, and kept in the
 * user's cache folder.
 *
 * @throws Error if this is no Debian, or the packages can't be had
 */
export async function debianProgram(version: DebianVersion): Promise<ServerProgram> {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const root = join(cache, 'hopline-tests', `rabbitmq-${version}`);
  if (!(await exists(root))) await unpack(version, root);
  const lib = '/usr/lib/rabbitmq/lib';
  const folder = (await readdir(join(root, lib))).find((name) =>
    name.startsWith(`rabbitmq_server-${version}.`),
  );
  if (!folder)
    throw new Error(`Debian ${SUITES[version]} no longer holds RabbitMQ ${version}: remove ${root}`);
  const sbin = `${lib}/${folder}/sbin`;
  const { applications, erlCall } = await serverFiles(`${sbin}/rabbitmq-server`, '/usr/bin/erl', root);
  const inRoot = (program: string) => (home: string, args: readonly string[]) =>
    enter(root, home, [program, ...args]);
  return {
    version: versionIn(folder),
    server: inRoot(`${sbin}/rabbitmq-server`),
    ctl: inRoot(`${sbin}/rabbitmqctl`),
    epmd: inRoot('epmd'),
    erlCall: erlCall === undefined ? undefined : inRoot(erlCall),
    applications,
  };
}

/**
 * Becomes the program within the root, in a mount namespace that ends with it: what is spawned is what runs, and dies
 * when it is killed. Sees the folder of the node under the path that it has outside. Anybody but root needs user
 * namespaces for it.
 */
const ENTER = `set -e
root=$1 parent=$2; shift 2
mkdir -p "$root$parent"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$parent" "$root$parent"
exec env PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"`;

function enter(root: string, home: string, command: readonly string[]): Command {
  const namespaces = ['--mount', '--propagation', 'private'];
  if (process.getuid?.() !== 0) namespaces.push('--user', '--map-root-user');
  return {
    file: 'unshare',
    args: [...namespaces, 'sh', '-c', ENTER, 'enter', root, dirname(home), ...command],
  };
}

async function unpack(version: DebianVersion, root: string): Promise<void> {
  const suite = SUITES[version];
  process.stderr.write(`tests: unpacking RabbitMQ ${version} of Debian ${suite}\n`);
  const work = `${root}.${process.pid}`;
  const unpacked = join(work, 'root');
  try {
    for (const folder of ['lists/partial', 'archives/partial', 'root'])
      await mkdir(join(work, folder), { recursive: true });
    await download(suite, work);
    const archives = (await readdir(join(work, 'archives'))).filter((name) => name.endsWith('.deb'));
    // It brings links such as /bin -> usr/bin, through which the others go.
    const isBase = (name: string) => name.startsWith('base-files_');
    for (const name of [...archives.filter(isBase), ...archives.filter((each) => !isBase(each))])
      await run('dpkg', ['-x', join(work, 'archives', name), unpacked]);
    await asInstalled(unpacked);
    await rename(unpacked, root);
  } catch (error) {
    // Another test run may have been quicker.
    if (!(await exists(root)))
      throw new Error(`RabbitMQ ${version} could not be unpacked: ${(error as Error).message}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The server and all that it needs, from a state of apt's own in which nothing is installed. */
async function download(suite: string, work: string): Promise<void> {
  const path = (name: string) => join(work, name);
  await writeFile(path('status'), '');
  await writeFile(path('sources.list'), `deb [signed-by=${KEYRING}] ${await mirror()} ${suite} main\n`);
  const settings = {
    'Dir::State::Lists': path('lists'),
    'Dir::State::status': path('status'),
    'Dir::Cache': work,
    'Dir::Cache::archives': path('archives'),
    'Dir::Etc::sourcelist': path('sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'APT::Sandbox::User': 'root',
    'APT::Install-Recommends': 'false',
    'Acquire::Languages': 'none',
    'Debug::NoLocking': '1',
  };
  const options = ['-qq', ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])];
  await run('apt-get', [...options, 'update']);
  const packages = ['rabbitmq-server', 'base-files', 'dash', 'coreutils'];
  await run('apt-get', [...options, '--yes', '--download-only', 'install', ...packages]);
}

/** The archive that apt is set up with here. */
async function mirror(): Promise<string> {
  const format = '$(REPO_URI) $(CODENAME)';
  const targets = await run('apt-get', ['indextargets', '--format', format, 'Origin: Debian']);
  // Security and update archives have names with a hyphen, and hold no other suites.
  const main = targets
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, name]) => name && !name.includes('-'));
  if (!main?.[0]) throw new Error('apt knows no Debian archive: run apt-get update first');
  return main[0];
}

/** What the packages' own scripts would have done. */
async function asInstalled(root: string): Promise<void> {
  const path = (name: string) => join(root, name);
  await mkdir(path('etc'), { recursive: true });
  await writeFile(path('etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await writeFile(path('etc/group'), 'root:x:0:\n');
  await writeFile(path('etc/hosts'), '127.0.0.1 localhost\n');
  await writeFile(path('etc/nsswitch.conf'), 'hosts: files dns\n');
  if (!(await exists(path('usr/bin/awk')))) await symlink('mawk', path('usr/bin/awk'));
  for (const folder of ['proc', 'dev', 'tmp']) await mkdir(path(folder), { recursive: true });
  for (const folder of ['doc', 'man', 'locale', 'info', 'lintian'])
    await rm(path(`usr/share/${folder}`), { recursive: true, force: true });
}

async function run(file: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, timeout: APT_TIMEOUT_MS, maxBuffer: 2 ** 26 };
  return (await promisify(execFile)(file, args, options)).stdout;
}
