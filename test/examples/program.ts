import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

/** The built examples: these tests run from dist/test/examples. */
const examples = resolve(import.meta.dirname, '../../examples');

export interface ProgramOptions {
  readonly args?: readonly string[];
  /** Without it the program runs in memory, whatever the tests' own environment says. */
  readonly amqpUrl?: string;
  /** Beside the tests' own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** All of its standard input; `open` leaves it open. @default nothing */
  readonly input?: string | 'open';
  /** Its handlers fail, to show what comes of that: what the log says of it is left out of `stderr`. @default false */
  readonly failsOnPurpose?: boolean;
}

/** A built example, running. Its output is kept whole. */
export class Program {
  stdout = '';
  stderr = '';
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  private readonly child: ChildProcess;

  constructor(name: string, { args = [], amqpUrl, env: more = {}, input = '' }: ProgramOptions = {}) {
    const { AMQP_URL: _theTests, ...env } = process.env;
    this.child = spawn(process.execPath, ['--enable-source-maps', resolve(examples, name), ...args], {
      env: { ...env, ...more, ...(amqpUrl === undefined ? {} : { AMQP_URL: amqpUrl }) },
    });
    this.child.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.child.stdin?.on('error', () => {}); // it may end without reading
    if (input !== 'open') this.child.stdin?.end(input);
    this.ended = once(this.child, 'close').then(([code, signal]) => code ?? signal);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Both outputs, for the message of an assertion. */
  get output(): string {
    return `${this.stdout}\n${this.stderr}`;
  }
}

/** Runs a built example to its end. */
export async function run(
  name: string,
  options: ProgramOptions = {},
): Promise<{ readonly code: number | NodeJS.Signals; readonly stdout: string; readonly stderr: string }> {
  const { failsOnPurpose = false, env } = options;
  const program = new Program(
    name,
    failsOnPurpose ? { ...options, env: { ...env, HOPLINE_LOG: 'json' } } : options,
  );
  const code = await program.ended;
  const { stdout, stderr } = program;
  return { code, stdout, stderr: failsOnPurpose ? withoutFailures(stderr) : stderr };
}

function withoutFailures(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !/^\{.*"attempt":\d+,.*"err":/.test(line));
  return lines.join('\n');
}
