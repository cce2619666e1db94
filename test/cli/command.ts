import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { Terminal } from '../../src/cli/output/terminal.js';
import { runCommand } from '../../src/cli/program.js';
import { manifest, root } from '../project/repository.js';
import { eventually } from '../support/eventually.js';

/** The command as it is published. */
export const MAIN = join(root, manifest.bin.hopline);

/** What an application imports that the command loads: `hopline` itself, for one that lies outside this repository. */
export const INDEX = join(root, manifest.exports['.'].default);

export interface CommandOptions {
  /** Becomes AMQP_URL; without it that is unset, whatever the tests' own environment says. */
  readonly url?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** All of standard input. @default nothing */
  readonly input?: string;
  /** On a terminal of its own (by `script` of util-linux), with standard input left open. */
  readonly terminal?: boolean;
  /** As process 1 of a PID namespace, whose parent is `child`. Takes root. */
  readonly asFirst?: boolean;
  /** Its file. @default that of this repository */
  readonly main?: string;
  /** With a process group of its own, so that all its processes can be told at once. */
  readonly ownGroup?: boolean;
}

export interface Ended {
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command as a child process. */
export class Command {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  readonly child: ChildProcess;

  constructor(
    args: readonly string[],
    { url, env = {}, cwd, input = '', main = MAIN, ...how }: CommandOptions = {},
  ) {
    const words = [process.execPath, main, ...args];
    const { terminal, asFirst, ownGroup = false } = how;
    const wrapped = asFirst ? ['unshare', '--pid', '--fork', '--kill-child', ...words] : words;
    const [program = '', ...its] = terminal
      ? ['script', '--quiet', '--return', '--command', words.map(quoted).join(' '), '/dev/null']
      : wrapped;
    this.child = spawn(program, its, {
      cwd,
      detached: ownGroup,
      env: environment({ url, env }),
    });
    this.child.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.child.stdin?.on('error', () => {}); // it may end without reading
    if (!terminal) this.child.stdin?.end(input);
    this.ended = once(this.child, 'close').then(([code, signal]) => ({
      code: code ?? signal,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  /** Waits until the command has asked, and answers. */
  async answer(text: string): Promise<Ended> {
    await eventually(() => this.stdout.includes('[y/N]'));
    this.child.stdin?.write(`${text}\n`);
    const ended = await this.ended;
    this.child.stdin?.end();
    return ended;
  }
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Runs the command to its end. */
export function hopline(args: readonly string[], options?: CommandOptions): Promise<Ended> {
  return new Command(args, options).ended;
}

/**
 * The same in this process, between pipes: a quarter of a second and a core's whole attention less than a start of Node.
 * Not for a command that loads an application, whose module would stay, or that ends by signals.
 */
export async function hoplineHere(
  args: readonly string[],
  options: Pick<CommandOptions, 'url' | 'env' | 'input'> = {},
): Promise<Ended> {
  const stdin = Readable.from([options.input ?? '']);
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const written = [stdout, stderr].map((stream) => textOf(stream));
  const terminal = new Terminal(
    stdin as unknown as NodeJS.ReadStream,
    stdout as unknown as NodeJS.WriteStream,
    stderr as unknown as NodeJS.WriteStream,
    environment(options),
  );
  const code = await runCommand(args, terminal);
  for (const stream of [stdout, stderr]) stream.end();
  const [out = '', error = ''] = await Promise.all(written);
  return { code, stdout: out, stderr: error };
}

/** The tests' own, without what would change how a command behaves. */
function environment({ url, env }: Pick<CommandOptions, 'url' | 'env'>): NodeJS.ProcessEnv {
  const { AMQP_URL: _theTests, NO_COLOR: __, DEBUG: ___, ...rest } = process.env;
  return { ...rest, TERM: 'xterm', ...(url === undefined ? {} : { AMQP_URL: url }), ...env };
}
