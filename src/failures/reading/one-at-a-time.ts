/**
 * Lets one task at a time work on a queue: whoever reads dead letters holds them meanwhile, and a second reader would see only the rest.
 * Within one process; nothing keeps another one away.
 */
export class OneAtATime {
  /** The last task of each queue that has one under way; it never rejects. */
  private readonly last = new Map<string, Promise<unknown>>();

  /** True while a task works on the queue, or waits for it. */
  isBusy(queue: string): boolean {
    return this.last.has(queue);
  }

  /** Resolves when the tasks that the queue has now are over, however they end. */
  async over(queue: string): Promise<void> {
    await this.last.get(queue);
  }

  /** Runs the task after those that were given before it for this queue, however they ended. Settles as the task does. */
  async run<T>(queue: string, task: () => Promise<T>): Promise<T> {
    const running = (this.last.get(queue) ?? Promise.resolve()).then(task);
    const over = running.then(
      () => {},
      () => {},
    );
    this.last.set(queue, over);
    try {
      return await running;
    } finally {
      if (this.last.get(queue) === over) this.last.delete(queue);
    }
  }
}
