import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { installPackage } from './apt.js';

/** An installed RabbitMQ: the scripts that its own distribution brings. */
export interface ServerProgram {
  /** Path of `rabbitmq-server`. */
  readonly server: string;
  /** Path of `rabbitmqctl`. */
  readonly ctl: string;
}

/** Where the packages of Debian, Ubuntu and RPM systems put the server. */
const PACKAGED = '/usr/lib/rabbitmq/lib';

/** Homebrew's, which are often not on PATH. */
const HOMEBREW = ['/opt/homebrew/sbin', '/usr/local/sbin'];

/**
 * The installed server, or nothing. The packages' own folder comes before PATH: Debian's `/usr/sbin` wrappers insist
 * on the user `rabbitmq` and that user's files.
 */
export async function findServerProgram(): Promise<ServerProgram | undefined> {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  for (const folder of [...(await packagedFolders()), ...onPath, ...HOMEBREW]) {
    const program = { server: join(folder, 'rabbitmq-server'), ctl: join(folder, 'rabbitmqctl') };
    if ((await isExecutable(program.server)) && (await isExecutable(program.ctl))) return program;
  }
  return undefined;
}

/**
 * The installed server; installs it first where that is possible, as in a bare Debian container.
 *
 * @throws Error that says how to get it
 */
export async function requireServerProgram(): Promise<ServerProgram> {
  const installed = await findServerProgram();
  if (installed) return installed;
  const declined = await installPackage('rabbitmq-server');
  const program = await findServerProgram();
  if (program) return program;
  const reason = declined?.reason ?? 'apt-get has put it where nobody looks';
  throw new Error(
    `a private node needs rabbitmq-server, which is not installed: ${reason}. Install it yourself.`,
  );
}

/** Newest version first. */
async function packagedFolders(): Promise<string[]> {
  const names = await readdir(PACKAGED).catch(() => []);
  return names
    .filter((name) => name.startsWith('rabbitmq_server-'))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => join(PACKAGED, name, 'sbin'));
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
