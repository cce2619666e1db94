import type { WorkerSettings } from './protocol.js';
import { WorkerProcess, type WorkerProcessListener } from './worker-process.js';

/**
 * A worker process that is started before its supervisor is loaded, and before its settings are known, so that all load at
 * the same time. Its messages, output and end are kept until it is taken. Without settings it does nothing, and ends with this process.
 */
export class FirstProcess {
  private readonly kept: ((listener: WorkerProcessListener) => void)[] = [];
  private listener: WorkerProcessListener | undefined;
  private process: WorkerProcess | undefined;

  constructor(readonly entry: string) {
    this.process = new WorkerProcess(entry, {
      message: (message) => this.pass((listener) => listener.message(message)),
      line: (text, stream) => this.pass((listener) => listener.line(text, stream)),
      exited: (exit) => this.pass((listener) => listener.exited(exit)),
    });
  }

  /** See {@link WorkerProcess.begin}. */
  begin(settings: WorkerSettings): void {
    this.process?.begin(settings);
  }

  /** The process, for the first caller. Its listener gets what was kept, in order, after this call has returned. */
  take(listener: WorkerProcessListener): WorkerProcess | undefined {
    const { process } = this;
    this.process = undefined;
    if (process) queueMicrotask(() => this.listen(listener));
    return process;
  }

  private pass(call: (listener: WorkerProcessListener) => void): void {
    if (this.listener) call(this.listener);
    else this.kept.push(call);
  }

  private listen(listener: WorkerProcessListener): void {
    this.listener = listener;
    for (const call of this.kept.splice(0)) call(listener);
  }
}
