import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, constants, mkdtemp, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEpmd } from './epmd.js';
import { ended, Guard, isRunning } from './guard.js';
import type { ServerProgram } from './server-program.js';

/**
 * What the Erlang VMs of one node or one cluster share, and share with nobody else: a folder, a cookie, a port mapper
 * (epmd), and the guard that ends them all.
 */
export class ErlangHome {
  private readonly guard: Guard;
  private epmd: ChildProcess | undefined;
  private vms: ChildProcess[] = [];

  private constructor(
    /** New, and removed in the end. */
    readonly dir: string,
    readonly epmdPort: number,
  ) {
    this.guard = new Guard(dir);
  }

  /** @param name begins the folder's name */
  static async create(name: string, epmdPort: number, parent?: string): Promise<ErlangHome> {
    const folder = parent ?? (await roomyMemory()) ?? tmpdir();
    // Always a new folder: data of an earlier node would bring its locks, its cluster and its messages along.
    const home = new ErlangHome(await mkdtemp(join(folder, `${name}-`)), epmdPort);
    await writeFile(join(home.dir, '.erlang.cookie'), randomBytes(24).toString('hex'), { mode: 0o400 });
    return home;
  }

  /** The environment that every program in it needs; built from nothing, so that no variable meant for others gets in. */
  get env(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
      HOME: this.dir,
      ERL_EPMD_PORT: String(this.epmdPort),
      ERL_EPMD_ADDRESS: '127.0.0.1',
    };
  }

  /** To be awaited before the first VM: one that finds no port mapper starts its own, which nobody would end. */
  async startEpmd({ epmd }: ServerProgram): Promise<void> {
    await startEpmd(epmd(this.dir, []), this.env, (child) => {
      this.epmd = child;
      this.watch();
    });
  }

  /** To be told of each VM as soon as it is spawned: from then on it ends with this process. */
  adopt(vm: ChildProcess): void {
    this.vms = [...this.vms.filter(isRunning), vm];
    this.watch();
    vm.once('exit', () => this.watch());
  }

  /** Ends all that runs in it, the VMs cleanly, and removes the folder. */
  async stop(): Promise<void> {
    await Promise.all(this.vms.map((vm) => endVm(vm, 'SIGTERM')));
    if (this.epmd) {
      this.epmd.kill('SIGKILL'); // it keeps nothing but the names of nodes that have gone
      await ended(this.epmd);
    }
    await this.guard.release();
  }

  private watch(): void {
    this.guard.watch([this.epmd, ...this.vms]);
  }
}

const TERM_TIMEOUT_MS = 20_000;

/** Resolves once the VM is gone; one that takes over 20 s is ended by force. */
export async function endVm(vm: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!isRunning(vm)) return;
  vm.kill(signal);
  const force = setTimeout(() => vm.kill('SIGKILL'), TERM_TIMEOUT_MS);
  await ended(vm);
  clearTimeout(force);
}

/** Linux's file system in memory. */
const MEMORY = '/dev/shm';
const ENOUGH_BYTES = 4 * 2 ** 30;

/**
 * A node syncs whatever it is told to disk, which takes a quarter of its time, and its data needs to outlive it but not the
 * machine. Nothing where there is no such file system, or little is free, as in most containers; or if TMPDIR says where.
 */
async function roomyMemory(): Promise<string | undefined> {
  if (process.env.TMPDIR) return undefined;
  try {
    await access(MEMORY, constants.W_OK);
    const { bavail, bsize } = await statfs(MEMORY);
    return bavail * bsize >= ENOUGH_BYTES ? MEMORY : undefined;
  } catch {
    return undefined;
  }
}
