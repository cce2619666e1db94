import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { eventually } from '../support/eventually.js';

/** The built command: these tests run from dist/test/cli. */
export const MAIN = resolve(import.meta.dirname, '../../src/cli/main.js');

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

  constructor(args: readonly string[], { url, env = {}, cwd, input = '', ...how }: CommandOptions = {}) {
    const { AMQP_URL: _theTests, NO_COLOR: __, DEBUG: ___, ...rest } = process.env;
    const words = [process.execPath, MAIN, ...args];
    const { terminal, asFirst, ownGroup = false } = how;
    const wrapped = asFirst ? ['unshare', '--pid', '--fork', '--kill-child', ...words] : words;
    const [program = '', ...its] = terminal
      ? ['script', '--quiet', '--return', '--command', words.map(quoted).join(' '), '/dev/null']
      : wrapped;
    this.child = spawn(program, its, {
      cwd,
      detached: ownGroup,
      env: { ...rest, TERM: 'xterm', ...(url === undefined ? {} : { AMQP_URL: url }), ...env },
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
