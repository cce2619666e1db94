import type { FromWorker, ToWorker } from '../../../src/worker/protocol.js';
import type { WorkerProcessListener } from '../../../src/worker/worker-process.js';

/** A process that does what the test says. */
export class TestProcess {
  readonly sent: (ToWorker | 'kill')[] = [];

  constructor(
    readonly pid: number,
    private readonly listener: WorkerProcessListener,
  ) {}

  send(message: ToWorker): void {
    this.sent.push(message);
  }

  kill(): void {
    this.sent.push('kill');
  }

  says(...messages: readonly FromWorker[]): void {
    for (const message of messages) this.listener.message(message);
  }

  exits(code: number): void {
    this.listener.exited({ code, signal: null });
  }
}

export const READY = { kind: 'ready' } as const;
export const RETIRING = { kind: 'retiring', reason: 'it is old' } as const;
export const REFUSED = {
  kind: 'refused',
  message: "there is no queue 'x'",
  help: 'Correct its name.',
  whileLoading: false,
} as const;
