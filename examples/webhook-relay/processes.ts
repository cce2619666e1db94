import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './outcomes.js';
import type { Settings } from './services/service.js';

/** What is said to a service's process. */
export type ToService = { readonly kind: 'start'; readonly settings: Settings } | { readonly kind: 'stop' };

/** What it says. */
export type FromService =
  | { readonly kind: 'started' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'outcome'; readonly outcome: Outcome };

export interface ServiceProcessOptions {
  readonly settings: Settings;
  readonly tell: (outcome: Outcome) => void;
  /** It ended, and nobody had asked it to. */
  readonly onCrash: (error: Error) => void;
}

/** Longer than a bus takes to stop. */
const STOP_MS = 15_000;

/** A service in a process of its own. It starts and stops like a bus. */
export class ServiceProcess {
  private child: ChildProcess | undefined;
  private exited: Promise<unknown> = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly name: string,
    private readonly options: ServiceProcessOptions,
  ) {}

  /** Resolves when the service consumes. */
  async start(): Promise<void> {
    const program = fileURLToPath(new URL('service-process.js', import.meta.url));
    const child = fork(program, [this.name]);
    this.child = child;
    this.exited = once(child, 'exit');
    process.stderr.write(`${this.name} runs as process ${child.pid}\n`);
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message) => this.hear(message as FromService, resolve, reject));
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        if (this.stopping) return;
        const error = new Error(
          `service ${this.name} (process ${child.pid}) ended: ${signal ?? `exit code ${code}`}`,
        );
        reject(error);
        this.options.onCrash(error);
      });
      this.say({ kind: 'start', settings: this.options.settings });
    });
  }

  /** Resolves when the process has ended, and everything it said was heard. */
  async stop(): Promise<void> {
    const { child } = this;
    if (!child) return;
    this.stopping = true;
    this.say({ kind: 'stop' });
    const overdue = new AbortController();
    const late = pause(STOP_MS, 'late', { signal: overdue.signal }).catch(() => 'in time');
    if ((await Promise.race([this.exited, late])) === 'late') child.kill('SIGKILL');
    overdue.abort();
    await this.exited;
    if (child.connected) await once(child, 'disconnect');
  }

  private say(message: ToService): void {
    // A process that has just died can't be told anything: its exit says so.
    if (this.child?.connected) this.child.send(message, () => {});
  }

  private hear(message: FromService, started: () => void, failed: (error: Error) => void): void {
    if (message.kind === 'started') started();
    else if (message.kind === 'failed') failed(new Error(`service ${this.name}: ${message.message}`));
    else this.options.tell(message.outcome);
  }
}
