import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { manifest, root, run } from '../project/repository.js';

/** A command that goes on until Ctrl-C. */
const WORKER = /(^| )node /;

const INSTALL = /^npm install (?:--save-dev )?(.+)$/;

/**
 * Somebody who follows a guide, in a folder of their own. Packages are not fetched: Hopline is packed, and the others are those of
 * this repository.
 */
export class Stranger {
  /** What all commands have written since it was last cleared, as on a terminal. */
  transcript = '';
  private worker: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
    /** Hopline, as it is published. */
    private readonly tarball: string,
  ) {}

  static async arrive(): Promise<Stranger> {
    const folder = await mkdtemp(join(tmpdir(), 'hopline-stranger-'));
    const { AMQP_URL: _url, NODE_ENV: _mode, HOPLINE_LOG: _log, ...env } = process.env;
    const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
    const { stdout } = await run('npm', args, { cwd: root });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    // npm would ask its registry for a newer npm.
    return new Stranger(folder, { ...env, npm_config_update_notifier: 'false' }, join(folder, filename));
  }

  /** Environment of all that follows. */
  set(name: string, value: string): void {
    this.env[name] = value;
  }

  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, path)), { recursive: true });
    await writeFile(join(this.folder, path), text);
  }

  /** Applies a diff without line numbers: each part, between lines of `@@`, fits one place. */
  async change(path: string, diff: string): Promise<void> {
    let text = await readFile(join(this.folder, path), 'utf8');
    for (const part of diff.split(/^@@\n/m)) {
      const side = (sign: string) =>
        part
          .split(/^/m)
          .filter((line) => line[0] === ' ' || line[0] === sign)
          .map((line) => line.slice(1))
          .join('');
      const pieces = text.split(side('-'));
      if (pieces.length !== 2) throw new Error(`fits ${pieces.length - 1} places of ${path}:\n${part}`);
      text = pieces.join(side('+'));
    }
    await this.write(path, text);
  }

  /**
   * Runs one line of a shell block, to its end. A worker is only begun, and ends when the next one begins.
   *
   * @throws if it fails
   */
  async enter(line: string): Promise<void> {
    const variable = /^export (\w+)=(\S+)$/.exec(line);
    const packages = INSTALL.exec(line)?.[1]?.split(' ');
    if (variable?.[1] && variable[2]) this.set(variable[1], variable[2]);
    else if (packages) await this.install(packages);
    else if (WORKER.test(line)) await this.work(line);
    else {
      const [code] = await once(this.spawn(line), 'close');
      // What it finds is no failure of its own.
      if (code !== 0 && !line.includes('hopline doctor'))
        throw new Error(`${line} ended with ${code}:\n${this.transcript}`);
    }
  }

  /** Whether the worker has ended by itself. */
  get hasEnded(): boolean {
    return typeof this.worker?.exitCode === 'number';
  }

  async leave(): Promise<void> {
    await this.interrupt();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async work(line: string): Promise<void> {
    await this.interrupt();
    this.worker = this.spawn(line);
  }

  /** Ctrl-C: for the shell and what it has started. */
  private async interrupt(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    if (worker?.pid === undefined || worker.exitCode !== null || worker.signalCode !== null) return;
    const closed = once(worker, 'close');
    process.kill(-worker.pid, 'SIGINT');
    await closed;
  }

  private spawn(line: string): ChildProcess {
    const child = spawn('sh', ['-c', line], {
      cwd: this.folder,
      env: this.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const output of [child.stdout, child.stderr])
      output?.setEncoding('utf8').on('data', (text: string) => {
        this.transcript += text;
      });
    return child;
  }

  private async install(packages: readonly string[]): Promise<void> {
    const modules = join(this.folder, 'node_modules');
    const ours = join(root, 'node_modules');
    for (const each of packages) {
      if (each === 'hopline') await this.unpack(join(modules, 'hopline'));
      else if (!(await readdir(join(ours, each)).catch(() => undefined)))
        throw new Error(`${each} is not installed in this repository`);
    }
    // What they depend on lies beside them, as npm would have it.
    for (const name of await readdir(ours))
      if (!name.startsWith('.')) await symlink(join(ours, name), join(modules, name)).catch(ignoreExisting);
    await mkdir(join(modules, '.bin'), { recursive: true });
    const commands: [string, string][] = [
      ['hopline', join(modules, 'hopline', manifest.bin.hopline)],
      ['tsc', join(ours, 'typescript/bin/tsc')],
      ['esbuild', join(ours, 'esbuild/bin/esbuild')],
    ];
    for (const [name, target] of commands)
      await symlink(target, join(modules, '.bin', name)).catch(ignoreExisting);
  }

  private async unpack(into: string): Promise<void> {
    await mkdir(into, { recursive: true });
    await run('tar', ['-xzf', this.tarball, '-C', into, '--strip-components=1']);
    await chmod(join(into, manifest.bin.hopline), 0o755);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
