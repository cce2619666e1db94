import type { Logger } from '../util/logger.js';
import { Slot, type SlotOptions } from './slot.js';

export interface SupervisorOptions extends Omit<SlotOptions, 'number' | 'onRefused'> {
  /** How many workers there are. */
  readonly processes: number;
  readonly log: Logger;
}

/** How a supervisor ended, as the exit code of its process. */
export const EXIT = { done: 0, leftBehind: 1, refused: 2 } as const;

/** Keeps workers running: one process each, started again when it crashes, replaced when it has reached a limit. */
export class Supervisor {
  private readonly slots: readonly Slot[];
  private refusal: { readonly message: string; readonly help: string } | undefined;
  private stopping = false;
  private restarting: Promise<void> | undefined;

  constructor(private readonly options: SupervisorOptions) {
    this.slots = Array.from(
      { length: options.processes },
      (_, index) =>
        new Slot({
          ...options,
          number: index + 1,
          onRefused: (message, help) => this.refused(message, help),
        }),
    );
  }

  /** Resolves when all workers have ended for good, with the exit code. */
  async run(): Promise<number> {
    for (const slot of this.slots) slot.start();
    const inOrder = await Promise.all(this.slots.map((slot) => slot.ended));
    if (this.refusal) return EXIT.refused;
    return inOrder.every(Boolean) ? EXIT.done : EXIT.leftBehind;
  }

  /** Lets the workers finish what they do; those that take longer than their time are killed. */
  stop(): void {
    this.stopping = true;
    for (const slot of this.slots) slot.stop();
  }

  /** After `stop`: fires the signals of handlers that still run. */
  cancel(): void {
    for (const slot of this.slots) slot.cancel();
  }

  /** Ends all at once; what they had not settled is delivered again. */
  kill(): void {
    for (const slot of this.slots) slot.kill();
  }

  /** Replaces all workers one after the other, so that the others consume meanwhile. Resolves when they are. */
  restart(reason: string): Promise<void> {
    this.restarting ??= this.replaceAll(reason).finally(() => {
      this.restarting = undefined;
    });
    return this.restarting;
  }

  private async replaceAll(reason: string): Promise<void> {
    for (const slot of this.slots) if (!this.stopping) await slot.replace(reason);
  }

  /** What one can't do none of them can: they are started alike. */
  private refused(message: string, help: string): void {
    if (!this.refusal) this.options.log.error({ help }, `the application can't be run: ${message}`);
    this.refusal ??= { message, help };
    this.stop();
  }
}
