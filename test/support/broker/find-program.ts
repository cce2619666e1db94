import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { installPackage } from './apt.js';
import { DEBIAN_VERSIONS, type DebianVersion, debianProgram } from './debian-root.js';
import { serverFiles } from './server-files.js';
import { type ServerProgram, type Start, versionIn } from './server-program.js';

/** Where the packages of Debian, Ubuntu and RPM systems put the server. */
const PACKAGED = '/usr/lib/rabbitmq/lib';

/** Homebrew's, which are often not on PATH. */
const HOMEBREW = ['/opt/homebrew/sbin', '/usr/local/sbin'];

/** The RabbitMQ that the tests are to run on, such as `4.3`; the installed one if the environment names none. */
export const chosenVersion = (): string | undefined => process.env.BROKER_VERSION || undefined;

/**
 * The installed server, or nothing. The packages' own folder comes before PATH: Debian's `/usr/sbin` wrappers insist
 * on the user `rabbitmq` and that user's files.
 *
 * @param version only one of this version, such as `3.10`
 */
export async function findServerProgram(version?: string): Promise<ServerProgram | undefined> {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  // Nothing but its folder's name tells the version of one.
  const unknown = version === undefined ? [...onPath, ...HOMEBREW] : [];
  for (const folder of [...(await packagedFolders(version)), ...unknown]) {
    const server = join(folder, 'rabbitmq-server');
    const ctl = join(folder, 'rabbitmqctl');
    if ((await isExecutable(server)) && (await isExecutable(ctl))) {
      const { applications, erlCall } = await serverFiles(server, await programOn(onPath, 'erl'));
      return {
        version: versionIn(folder),
        server: installed(server),
        ctl: installed(ctl),
        epmd: installed('epmd'),
        erlCall: erlCall === undefined ? undefined : installed(erlCall),
        applications,
      };
    }
  }
  return undefined;
}

/**
 * The server of the {@link chosenVersion}; gets it first where that is possible, as in a bare Debian container.
 *
 * @throws Error that says how to get it
 */
export async function requireServerProgram(version = chosenVersion()): Promise<ServerProgram> {
  if (isDebianVersion(version)) return debianProgram(version);
  const found = await findServerProgram(version);
  if (found) return found;
  const declined = await installPackage('rabbitmq-server');
  const program = await findServerProgram(version);
  if (program) return program;
  const reason = declined?.reason ?? 'apt-get has brought another version, or put it where nobody looks';
  const what = `rabbitmq-server${version === undefined ? '' : ` ${version}`}`;
  throw new Error(`a private node needs ${what}, which is not installed: ${reason}. Install it yourself.`);
}

const isDebianVersion = (version: string | undefined): version is DebianVersion =>
  DEBIAN_VERSIONS.includes(version as DebianVersion);

const installed =
  (file: string): Start =>
  (_home, args) => ({ file, args });

async function programOn(path: readonly string[], name: string): Promise<string | undefined> {
  for (const folder of path) if (await isExecutable(join(folder, name))) return join(folder, name);
  return undefined;
}

/** Newest version first. */
async function packagedFolders(version?: string): Promise<string[]> {
  const prefix = version === undefined ? 'rabbitmq_server-' : `rabbitmq_server-${version}.`;
  const names = await readdir(PACKAGED).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => join(PACKAGED, name, 'sbin'));
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
