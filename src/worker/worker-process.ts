import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type FromWorker, fromWorker, marked, type ToWorker } from './protocol.js';

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

/** One child process, from its start to its end. */
export class WorkerProcess {
  private readonly child: ChildProcess;

  /** @param entry module that runs a worker with the settings it is given as its only argument */
  constructor(entry: string, settings: string, listener: WorkerProcessListener) {
    this.child = fork(entry, [settings], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.child.on('message', (raw) => {
      const message = fromWorker(raw);
      if (message) listener.message(message);
    });
    for (const stream of ['stdout', 'stderr'] as const) {
      const input = this.child[stream];
      if (input) createInterface({ input }).on('line', (text) => listener.line(text, stream));
    }
    // A process that can't be started has no other end.
    this.child.on('error', (error) => {
      listener.line(error.message, 'stderr');
      if (this.child.pid === undefined) listener.exited({ code: 1, signal: null });
    });
    this.child.on('close', (code, signal) => listener.exited({ code, signal }));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Does nothing if it is gone. */
  tell(message: ToWorker): void {
    if (this.child.connected) this.child.send(marked(message), () => {});
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
