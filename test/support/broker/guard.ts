import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';

/**
 * Reads until end of file, which also comes when this process dies, and the last line counts. The dying processes may
 * still write while the folder is being removed, so that is tried for a while.
 */
const SCRIPT = `
while read -r line; do pids=$line; done
[ -z "$pids" ] || kill -9 $pids 2>/dev/null
for try in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- "$1" && exit 0; sleep 0.1; done
exit 1`;

/**
 * Ends processes and removes a folder once this process ends, in whatever way. A handler for `exit` wouldn't do: it
 * doesn't run for SIGTERM, which mocha sends to itself on Ctrl-C, nor for SIGKILL. So a small shell waits at the other
 * end of a pipe, in a session of its own that the terminal's signals don't reach.
 */
export class Guard {
  private readonly shell: ChildProcess;
  private readonly pipe: Socket;

  /** @param path the folder, or file, that is removed at the end */
  constructor(private readonly path: string) {
    this.shell = spawn('/bin/sh', ['-c', SCRIPT, 'guard', path], {
      detached: true,
      cwd: '/',
      env: { PATH: process.env.PATH ?? '' },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.pipe = this.shell.stdin as Socket;
    this.pipe.on('error', () => {}); // the shell was killed: release() says so
    // A forgotten node must not keep the test run from ending.
    this.shell.unref();
    this.pipe.unref();
  }

  /** These processes, and no others any more. Tell it at once when one has ended: its id may be given to another. */
  watch(processes: readonly (ChildProcess | undefined)[]): void {
    const running = processes.filter((child) => child !== undefined).filter(isRunning);
    this.pipe.write(`${running.map((child) => child.pid).join(' ')}\n`);
  }

  /** Nothing is left to end: removes the folder now. */
  async release(): Promise<void> {
    this.watch([]);
    this.pipe.end();
    await ended(this.shell);
    if (this.shell.exitCode !== 0) throw new Error(`could not remove ${this.path}`);
  }
}

export function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Resolves once the child has ended, and keeps this process alive meanwhile. */
export async function ended(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return;
  child.ref();
  await once(child, 'exit');
}
