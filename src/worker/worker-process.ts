import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type FromWorker, fromWorker, marked, type ToWorker, type WorkerSettings } from './protocol.js';

/** Listener of a worker process. */
export interface WorkerProcessListener {
  message(message: FromWorker): void;
  /** Called for each line of its output. */
  line(text: string, stream: 'stdout' | 'stderr'): void;
  /** Called when it has ended and all its lines were passed on. */
  exited(exit: Exit): void;
}

/** End of a process: one of the two is null. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Time after the end of a process in which its output and messages are read. */
const CLOSED_WITHIN_MS = 1_000;

/** A child process, from its start to its end. */
export class WorkerProcess {
  private readonly child: ChildProcess;
  private hasSettings = false;

  /** @param entry module that waits for settings, and runs a worker with them */
  constructor(entry: string, listener: WorkerProcessListener) {
    this.child = fork(entry, [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Without a logger of its own, the bus writes lines with level and fields.
      env: { HOPLINE_LOG: 'json', ...process.env },
    });
    this.child.on('message', (raw) => {
      const message = fromWorker(raw);
      if (message) listener.message(message);
    });
    let hasEnded = false;
    const end = (exit: Exit) => {
      if (!hasEnded) listener.exited(exit);
      hasEnded = true;
    };
    for (const stream of ['stdout', 'stderr'] as const) {
      const input = this.child[stream];
      if (input) createInterface({ input }).on('line', (text) => listener.line(text, stream));
    }
    // A process that can't be started has no other end.
    this.child.on('error', (error) => {
      listener.line(error.message, 'stderr');
      if (this.child.pid === undefined) end({ code: 1, signal: null });
    });
    // A process that it has started may go on, and keep its output open.
    this.child.on('exit', (code, signal) => {
      const late = setTimeout(() => end({ code, signal }), CLOSED_WITHIN_MS);
      this.child.once('close', () => clearTimeout(late));
    });
    this.child.on('close', (code, signal) => end({ code, signal }));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Lets it load its application and work. Only the settings of the first call count. */
  begin(settings: WorkerSettings): void {
    if (!this.hasSettings) this.send({ kind: 'settings', settings });
    this.hasSettings = true;
  }

  /** No effect if the process is gone. */
  send(message: ToWorker): void {
    if (this.child.connected) this.child.send(marked(message), () => {});
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
