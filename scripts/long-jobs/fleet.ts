import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BROKEN } from '../../test/chaos/child-setup.js';
import { isRunning } from '../../test/support/broker/guard.js';
import { type Journal, now } from './journal.js';
import type { Life, Run } from './run.js';

const PROGRAM = fileURLToPath(new URL('./worker.js', import.meta.url));

const END_MS = 30_000;

/** A worker whose process is started again whenever it ends, until {@link end}. */
export class Worker {
  readonly troubles: string[] = [];
  private child: ChildProcess | undefined;
  private lives = 0;
  private life = '';
  private isEnding = false;
  private isSignalled = false;

  constructor(
    private readonly number: number,
    private readonly run: Run,
    private readonly journal: Journal,
  ) {}

  get name(): string {
    return this.life;
  }

  /** Resolves when it has started. */
  async start(): Promise<void> {
    this.lives += 1;
    this.life = `worker-${this.number}.${this.lives}`;
    this.isSignalled = false;
    const { urls } = this.run;
    const place = this.number % urls.length;
    const life: Life = {
      ...this.run,
      urls: [...urls.slice(place), ...urls.slice(0, place)],
      life: this.life,
    };
    const child = fork(PROGRAM, [JSON.stringify(life)], { execArgv: ['--enable-source-maps'] });
    this.child = child;
    const name = this.life;
    child.once('exit', (code, signal) => this.ended(name, code, signal));
    await Promise.race([once(child, 'message'), once(child, 'exit')]);
  }

  /** At once. It is started again. */
  async kill(): Promise<void> {
    const { child, life } = this;
    if (!child || !isRunning(child)) return;
    this.isSignalled = true;
    child.kill('SIGKILL');
    if (isRunning(child)) await once(child, 'exit');
    this.journal.write({ what: 'killed', at: now(), life });
  }

  /** In order. It is started again. */
  terminate(): void {
    this.isSignalled = true;
    this.child?.kill('SIGTERM');
  }

  /** It stands still until {@link goOn}. */
  stop(): void {
    this.journal.write({ what: 'stopped', at: now(), life: this.life });
    this.child?.kill('SIGSTOP');
  }

  goOn(): void {
    this.child?.kill('SIGCONT');
    this.journal.write({ what: 'continued', at: now(), life: this.life });
  }

  /** In order, and for good. */
  async end(): Promise<void> {
    this.isEnding = true;
    const { child } = this;
    if (!child || !isRunning(child)) return;
    const exit = once(child, 'exit');
    const timer = setTimeout(() => {
      this.troubles.push(`${this.life} did not end within ${END_MS} ms of SIGTERM`);
      child.kill('SIGKILL');
    }, END_MS);
    child.kill('SIGTERM');
    await exit;
    clearTimeout(timer);
  }

  /** For good, whatever it does. */
  destroy(): void {
    this.isEnding = true;
    this.child?.kill('SIGKILL');
  }

  private ended(life: string, code: number | null, signal: NodeJS.Signals | null): void {
    // One that could not give all back in time exits with 1.
    const isInOrder = (code === 0 || code === 1 || signal !== null) && code !== BROKEN;
    if (!isInOrder || !(this.isSignalled || this.isEnding))
      this.troubles.push(`${life} ended by itself: ${code ?? signal}, see its log`);
    if (!this.isEnding) void this.start();
  }
}
