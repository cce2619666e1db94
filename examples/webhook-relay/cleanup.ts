type Task = () => Promise<unknown>;

/** What has to be ended, newest first. */
export class Cleanup {
  private readonly steps: Task[][] = [];

  /** Tasks that are added together run together. */
  add(...tasks: Task[]): void {
    this.steps.push(tasks);
  }

  /** Runs every task, whatever becomes of the others. */
  async run(onError: (error: unknown) => void): Promise<void> {
    for (const tasks of this.steps.splice(0).reverse())
      await Promise.all(tasks.map((task) => task().catch(onError)));
  }
}
