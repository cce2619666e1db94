import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '../support/eventually.js';

/** How long one compilation may take on a busy machine. */
const A_MINUTE = 60_000;

/** `tsc --watch`, as it runs. */
export class CompilerWatch {
  /** Until it has compiled for the first time. */
  readonly ready: Promise<void>;
  private output = '';

  /** @param process a group of its own */
  constructor(private readonly process: ChildProcess) {
    process.stdout?.on('data', (text: string) => {
      this.output += text;
    });
    this.ready = this.hasCompiled(1);
  }

  /**
   * Makes a change of what it compiles, and waits until that is done.
   *
   * @throws if there is an error in it
   */
  async after(change: () => Promise<void>): Promise<void> {
    const before = this.compilations.length;
    await change();
    await this.hasCompiled(before + 1);
  }

  /** Ctrl-C. */
  async end(): Promise<void> {
    if (this.process.pid === undefined || this.process.exitCode !== null) return;
    const closed = once(this.process, 'close');
    process.kill(-this.process.pid, 'SIGINT');
    await closed;
  }

  /** How many errors each has found. */
  private get compilations(): readonly number[] {
    return [...this.output.matchAll(/Found (\d+) errors?\. Watching for file changes/g)].map(([, errors]) =>
      Number(errors),
    );
  }

  private async hasCompiled(times: number): Promise<void> {
    await eventually(() => this.compilations.length >= times, { timeout: A_MINUTE });
    assert.equal(this.compilations.at(-1), 0, this.output);
  }
}
