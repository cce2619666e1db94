import type { Logger } from '../util/logger.js';
import { type Load, LoadMeter } from './load.js';
import type { Refusal } from './protocol.js';
import { type Pool, Scaler } from './scaler.js';
import type { ScaleOptions } from './scaling.js';
import { Slot, type SlotOptions } from './slot.js';
import { Suspects } from './suspects.js';

export interface SupervisorOptions
  extends Omit<
    SlotOptions,
    'number' | 'suspects' | 'onLoaded' | 'onReady' | 'onRefused' | 'onLoad' | 'onRestart'
  > {
  /** Number of workers. */
  readonly processes: number;
  /** Changes the number of workers by their load. */
  readonly scale?: ScaleOptions | undefined;
  readonly log: Logger;
}

/** Exit codes of a supervisor. */
export const EXIT = { done: 0, leftBehind: 1, refused: 2 } as const;

/** Keeps workers running: one process each, started again after a crash, and replaced when it has reached a limit. */
export class Supervisor implements Pool {
  /** Slots that go on, by their numbers. */
  private readonly slots = new Map<number, Slot>();
  /** Slots that have not ended. */
  private readonly running = new Set<Slot>();
  private readonly meter = new LoadMeter();
  private readonly scaler: Scaler | undefined;
  private readonly suspects: Suspects;
  /** True if any worker could load the application. */
  private hasLoaded = false;
  /** Slots that could not load it, as long as none could. */
  private readonly unloadable = new Set<Slot>();
  /** True if any worker has been ready. */
  private hasWorked = false;
  private isRefused = false;
  private inOrder = true;
  private stopping = false;
  private restarting: Promise<void> | undefined;
  private end!: (code: number) => void;

  constructor(private readonly options: SupervisorOptions) {
    const { scale, log } = options;
    this.suspects = new Suspects(options.crashes);
    this.scaler = scale && new Scaler(this, this.meter, scale, log);
  }

  /** Resolves with the exit code when all workers have ended for good. */
  run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.end = resolve;
    });
    this.resize(this.options.processes);
    // Stopped before it began.
    if (this.running.size === 0) this.end(EXIT.done);
    this.scaler?.start();
    return ended.finally(() => this.scaler?.stop());
  }

  get size(): number {
    return this.slots.size;
  }

  /** Load that the workers report; undefined while they don't. */
  get load(): Load | undefined {
    return this.meter.load;
  }

  /** Removes the slots with the highest numbers first. */
  resize(processes: number): void {
    while (!this.stopping && this.slots.size < processes) this.add();
    for (const [number, slot] of [...this.slots].slice(processes)) {
      this.slots.delete(number);
      this.meter.remove(number);
      slot.stop();
    }
  }

  /** Lets the workers finish their messages; those that exceed their deadline are killed. */
  stop(): void {
    this.stopping = true;
    for (const slot of this.running) slot.stop();
  }

  /** Fires the signals of handlers that still run; called after `stop`. */
  cancel(): void {
    for (const slot of this.running) slot.cancel();
  }

  /** Kills all workers at once; their unsettled messages are delivered again. */
  kill(): void {
    for (const slot of this.running) slot.kill();
  }

  /**
   * Replaces all workers one after the other, so that the others consume meanwhile. Resolves when all are
   * replaced, or when a new one can't work: then the remaining old ones stay.
   */
  restart(reason: string): Promise<void> {
    this.restarting ??= this.replaceAll(reason).finally(() => {
      this.restarting = undefined;
    });
    return this.restarting;
  }

  private add(): void {
    const number = firstFree(this.slots);
    const slot: Slot = new Slot({
      ...this.options,
      number,
      suspects: this.suspects,
      onLoaded: () => {
        this.hasLoaded = true;
      },
      onReady: () => {
        this.hasWorked = true;
      },
      onRefused: (refusal) => this.refused(slot, refusal),
      // Every worker receives the request, but only one restart is under way at a time.
      onRestart: () => void this.restart('an operator has asked for a restart'),
      onLoad: (worker, load) => this.meter.add(worker, load),
    });
    this.slots.set(number, slot);
    this.running.add(slot);
    void slot.ended.then((inOrder) => this.ended(number, slot, inOrder));
    slot.start();
  }

  private ended(number: number, slot: Slot, inOrder: boolean): void {
    this.running.delete(slot);
    if (this.slots.get(number) === slot) this.slots.delete(number);
    this.inOrder &&= inOrder;
    if (this.running.size > 0) return;
    if (this.isRefused) this.end(EXIT.refused);
    else this.end(this.inOrder ? EXIT.done : EXIT.leftBehind);
  }

  private async replaceAll(reason: string): Promise<void> {
    for (const slot of [...this.slots.values()]) {
      if (this.stopping) return;
      if (await slot.replace(reason)) continue;
      this.options.log.error(
        {},
        'the restart is given up: a new process cannot run the application as it is now',
      );
      return;
    }
  }

  /**
   * A fault of one worker is a fault of all, since they are started alike, unless one could work before: then
   * something has changed since, such as a release or its settings, and the workers that run go on. A fault
   * while loading may concern one process alone.
   */
  private refused(slot: Slot, { message, help, whileLoading }: Refusal): void {
    if (this.hasWorked) return;
    if (whileLoading) {
      this.unloadable.add(slot);
      if (this.hasLoaded || this.unloadable.size < this.running.size) return;
    }
    if (!this.isRefused) this.options.log.error({ help }, `the application can't be run: ${message}`);
    this.isRefused = true;
    this.stop();
  }
}

function firstFree(slots: ReadonlyMap<number, Slot>): number {
  let number = 1;
  while (slots.has(number)) number += 1;
  return number;
}
