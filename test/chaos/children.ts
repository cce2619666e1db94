import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAIN } from '../cli/command.js';
import { isRunning } from '../support/broker/guard.js';
import { CHILD_OPTIONS, type ChildOptions } from './child-setup.js';

/** How long a child that was told to end may take before it counts as hanging. */
const END_MS = 60_000;

/** A supervisor is `hopline work`, with processes of its own. */
export type Role = 'worker' | 'publisher' | 'supervisor';

/** A process of the run that is started again whenever it ends, until {@link end}. */
export class Child {
  private process: ChildProcess | undefined;
  private life = 0;
  private ending = false;
  private signalled = false;
  /** What went wrong with it, beyond what was done to it. */
  readonly troubles: string[] = [];

  constructor(
    private readonly role: Role,
    private readonly index: number,
    private readonly options: Omit<ChildOptions, 'run'>,
  ) {}

  start(): void {
    this.life += 1;
    this.signalled = false;
    const run = `${this.role}-${this.index}.${this.life}`;
    // Another life of a publisher sends other messages.
    const options: ChildOptions = { ...this.options, run, seed: this.options.seed + 1_000 * this.life };
    const child = this.role === 'supervisor' ? supervise(options) : begin(this.role, options);
    this.process = child;
    child.once('exit', (code, signal) => this.ended(run, code, signal));
  }

  /** As a fault; it is started again when it has ended. */
  signal(signal: NodeJS.Signals): void {
    // One that is stopped or goes on has not been told to end.
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') this.signalled = true;
    this.process?.kill(signal);
  }

  /** In order, and for good. */
  async end(): Promise<void> {
    this.ending = true;
    const child = this.process;
    if (!child || !isRunning(child)) return;
    const exit = once(child, 'exit');
    const timer = setTimeout(() => {
      this.troubles.push(
        `${this.role}-${this.index}.${this.life} did not end within ${END_MS} ms of SIGTERM`,
      );
      child.kill('SIGKILL');
    }, END_MS);
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await exit;
    clearTimeout(timer);
  }

  /** At once, and for good. */
  kill(): void {
    this.ending = true;
    this.process?.kill('SIGKILL');
  }

  private ended(run: string, code: number | null, signal: NodeJS.Signals | null): void {
    // A worker that could not finish by its deadline gives back what it had, and exits with 1: that is in order.
    const inOrder = code === 0 || code === 1 || signal !== null;
    const asked = this.signalled || this.ending;
    if (!inOrder || !asked) this.troubles.push(`${run} ended by itself: ${code ?? signal}, see its log`);
    if (!this.ending) this.start();
  }
}

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const sourceMaps: ForkOptions = { execArgv: ['--enable-source-maps'] };

function begin(role: Role, options: ChildOptions): ChildProcess {
  return fork(pathOf(`./${role}-process.js`), [JSON.stringify(options)], sourceMaps);
}

/** Its log, and that of its processes, goes where the others write theirs. */
function supervise(options: ChildOptions): ChildProcess {
  const log = openSync(join(options.folder, `${options.run}.log`), 'a');
  const args = ['work', pathOf('./crash-app.js'), '--processes', '2', '--stop-timeout', '20s'];
  const env = { ...process.env, [CHILD_OPTIONS]: JSON.stringify(options) };
  try {
    const stdio: ForkOptions['stdio'] = ['ignore', log, log, 'ipc'];
    return fork(MAIN, args, { ...sourceMaps, env, stdio });
  } finally {
    closeSync(log);
  }
}
