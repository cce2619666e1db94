import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { manifest, root, run } from '../project/repository.js';
import { CompilerWatch } from './compiler-watch.js';

/** A command that goes on until Ctrl-C. */
const WORKER = /(^| )node (?:\S+ )*\S*(?:mailer\.js|worker\.mjs)$/;

const INSTALL = /^npm install (?:--save-dev )?(.+)$/;

/** Hopline, as it is published. */
export interface Tarball {
  readonly path: string;
  remove(): Promise<void>;
}

export async function pack(): Promise<Tarball> {
  const folder = await mkdtemp(join(tmpdir(), 'hopline-packed-'));
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: root });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return { path: join(folder, filename), remove: () => rm(folder, { recursive: true, force: true }) };
}

/**
 * Somebody who follows a guide, in a folder of their own. Packages are not fetched: Hopline is packed, and the others are those of
 * this repository.
 */
export class Stranger {
  /** What all commands have written since it was last cleared, as on a terminal. */
  transcript = '';
  private worker: ChildProcess | undefined;
  private compiler: CompilerWatch | undefined;

  private constructor(
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly hopline: Tarball,
  ) {}

  static async arrive(hopline: Tarball): Promise<Stranger> {
    const folder = await mkdtemp(join(tmpdir(), 'hopline-stranger-'));
    const { AMQP_URL: _url, NODE_ENV: _mode, HOPLINE_LOG: _log, ...env } = process.env;
    // npm would ask its registry for a newer npm.
    return new Stranger(folder, { ...env, npm_config_update_notifier: 'false' }, hopline);
  }

  /** Environment of all that follows. */
  set(name: string, value: string): void {
    this.env[name] = value;
  }

  /** If the compiler watches it, until that has compiled it. */
  async write(path: string, text: string): Promise<void> {
    const file = join(this.folder, path);
    await mkdir(dirname(file), { recursive: true });
    const write = () => writeFile(file, text);
    const isCompiled = path.startsWith('src/') || path === 'tsconfig.json';
    await (this.compiler && isCompiled ? this.compiler.after(write) : write());
  }

  /** Applies a diff without line numbers, or takes it back: each part, between lines of `@@`, fits one place. */
  async change(path: string, diff: string, { isTakenBack = false } = {}): Promise<void> {
    const [from, to] = isTakenBack ? '+-' : '-+';
    let text = await readFile(join(this.folder, path), 'utf8');
    for (const part of diff.split(/^@@\n/m)) {
      const side = (sign = '') =>
        part
          .split(/^/m)
          .filter((line) => line[0] === ' ' || line[0] === sign)
          .map((line) => line.slice(1))
          .join('');
      const pieces = text.split(side(from));
      if (pieces.length !== 2) throw new Error(`fits ${pieces.length - 1} places of ${path}:\n${part}`);
      text = pieces.join(side(to));
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
    else if (line.endsWith('tsc --watch')) {
      this.compiler = new CompilerWatch(this.spawn(line));
      await this.compiler.ready;
    } else if (WORKER.test(line)) await this.work(line);
    else {
      const [code] = await once(this.spawn(line), 'close');
      // What it finds is no failure of its own.
      if (code !== 0 && !line.includes('hopline doctor'))
        throw new Error(`${line} ended with ${code}:\n${this.transcript}`);
    }
  }

  /** Whether a worker has been begun, and has not ended by itself. */
  get isWorking(): boolean {
    return this.worker !== undefined && this.worker.exitCode === null;
  }

  async leave(): Promise<void> {
    await this.interrupt();
    await this.compiler?.end();
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
    // npm begins one where there is none.
    await writeFile(join(this.folder, 'package.json'), '{}', { flag: 'wx' }).catch(ignoreExisting);
    const modules = join(this.folder, 'node_modules');
    const ours = join(root, 'node_modules');
    for (const name of packages) {
      if (name !== 'hopline') await link(join(ours, name), join(modules, name));
      else {
        await this.unpack(join(modules, name));
        for (const needed of neededByHopline()) await link(join(ours, needed), join(modules, needed));
      }
    }
    await mkdir(join(modules, '.bin'), { recursive: true });
    const commands: [string, string][] = [
      ['hopline', join(modules, 'hopline', manifest.bin.hopline)],
      ['tsc', join(ours, 'typescript/bin/tsc')],
      ['esbuild', join(ours, 'esbuild/bin/esbuild')],
    ];
    for (const [name, target] of commands) await link(target, join(modules, '.bin', name));
  }

  private async unpack(into: string): Promise<void> {
    await mkdir(into, { recursive: true });
    await run('tar', ['-xzf', this.hopline.path, '-C', into, '--strip-components=1']);
    await chmod(join(into, manifest.bin.hopline), 0o755);
  }
}

/** What npm installs with it: its dependencies, and the peers that are not optional. */
function neededByHopline(): readonly string[] {
  const { dependencies, peerDependencies, peerDependenciesMeta: optional } = manifest;
  return [...Object.keys(dependencies), ...Object.keys(peerDependencies).filter((name) => !optional[name])];
}

async function link(target: string, path: string): Promise<void> {
  await access(target);
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path).catch(ignoreExisting);
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
