import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type FromWorker, fromWorker, marked, type ToWorker, type WorkerSettings } from './protocol.js';

/** What a supervisor is told of a worker process. */
export interface WorkerProcessListener {
  message(message: FromWorker): void;
  /** A line that it has written. */
  line(text: string, stream: 'stdout' | 'stderr'): void;
  /** It is gone, and all its lines have been told. */
  exited(exit: Exit): void;
}

/** How a process ended: one of the two is null. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** After its end what it had written and said is read by then. */
const CLOSED_WITHIN_MS = 1_000;

/** One child process, from its start to its end. */
export class WorkerProcess {
  private readonly child: ChildProcess;
  private hasSettings = false;

  /** @param entry module that waits for settings, and runs a worker with them */
  constructor(entry: string, listener: WorkerProcessListener) {
    this.child = fork(entry, [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Where its bus has no logger of its own: lines whose level and fields can be told.
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
    // What it has started may go on, and keep its output open.
    this.child.on('exit', (code, signal) => {
      const late = setTimeout(() => end({ code, signal }), CLOSED_WITHIN_MS);
      this.child.once('close', () => clearTimeout(late));
    });
    this.child.on('close', (code, signal) => end({ code, signal }));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Lets it load its application and work. What it was told first counts. */
  begin(settings: WorkerSettings): void {
    if (!this.hasSettings) this.tell({ kind: 'settings', settings });
    this.hasSettings = true;
  }

  /** Does nothing if it is gone. */
  tell(message: ToWorker): void {
    if (this.child.connected) this.child.send(marked(message), () => {});
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
