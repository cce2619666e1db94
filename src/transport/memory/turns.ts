import { inRootContext } from '../../util/root-context.js';

/**
 * Work for the next turn of the event loop, all of it on one setImmediate. Deliveries and confirms go this way,
 * as on a socket: never inside the call that caused them, and with I/O and timers in between. A microtask would
 * not do: `while (running) await publish()` would starve everything else. Deliveries run in the root async
 * context, as from a socket, and not in that of the caller.
 */
export class Turns {
  private tasks: (() => void)[] = [];
  private passed: Promise<void> | undefined;

  next(task: () => void): void {
    if (this.tasks.push(task) === 1) inRootContext(() => setImmediate(this.run));
  }

  /** Resolves in the next turn. All callers within one turn share the promise. */
  pass(): Promise<void> {
    this.passed ??= new Promise((resolve) => this.next(resolve));
    return this.passed;
  }

  private readonly run = (): void => {
    const tasks = this.tasks;
    this.tasks = [];
    this.passed = undefined;
    for (const task of tasks) task();
  };
}
