import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A command of Next.js that runs in an application. It and what it has started end together. */
export class NextProcess {
  output = '';
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly child: ChildProcess;

  constructor(folder: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) {
    const { AMQP_URL: _url, NODE_ENV: _mode, NODE_OPTIONS: _options, ...env } = process.env;
    const program = join(folder, 'node_modules/next/dist/bin/next');
    this.child = spawn(process.execPath, [program, ...args], {
      cwd: folder,
      // Its own group: it starts processes, and one of them serves.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env, NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1', ...more } as unknown as NodeJS.ProcessEnv,
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    this.ended = once(this.child, 'close').then(([code, signal]) => signal ?? code);
  }

  /** As a container does it. */
  terminate(): Promise<number | NodeJS.Signals> {
    this.child.kill('SIGTERM');
    return this.ended;
  }

  /** Ends it at once, with all that it has started. */
  async kill(): Promise<void> {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    await this.ended;
  }
}
