import { Backoff } from '../util/backoff.js';
import { formatMs } from '../util/duration.js';
import type { Logger } from '../util/logger.js';
import type { MetricsGatherer } from './metrics-gatherer.js';
import { Occupant, type SlotProcess } from './occupant.js';
import type { AboutSuspect, FromWorker, Refusal, WorkerLoad } from './protocol.js';
import { exitText, SlotLog } from './slot-log.js';
import type { Suspects } from './suspects.js';
import type { Exit, WorkerProcessListener } from './worker-process.js';

export interface SlotOptions {
  /** Number of the slot in the log, from 1 on. */
  readonly number: number;
  spawn(listener: WorkerProcessListener): SlotProcess;
  readonly log: Logger;
  onLine(worker: number, text: string, stream: 'stdout' | 'stderr'): void;
  onLoad(worker: number, load: WorkerLoad): void;
  /** Called when an operator asks for all workers to be replaced. */
  onRestart(): void;
  /** Called when a worker consumes. */
  onReady(): void;
  /** Called when a worker has loaded its application. */
  onLoaded(): void;
  /** Called when a worker can't work with its settings, before the slot reacts: the callback may stop the slot. */
  onRefused(refusal: Refusal): void;
  /** Finds messages that kill processes. */
  readonly suspects: Suspects;
  /** Asks the processes for their metrics; undefined if nobody wants them. */
  readonly metrics?: MetricsGatherer | undefined;
  /** Deaths after which a message is given up. */
  readonly crashes: number;
  /** Time after which a process that is not ready is reported, in milliseconds. @default 60,000 */
  readonly lateAfterMs?: number;
  /** Time after which a process that was ordered to stop is killed, in milliseconds: longer than its own deadline. */
  readonly killAfterMs: number;
}

/** Uptime after which a crash is not counted as part of a loop. */
const STABLE_AFTER_MS = 30_000;

/** Pause before the restart if a message was found to be the cause: the next process does not die by itself. */
const AFTER_BLAME_MS = 100;

const LATE_AFTER_MS = 60_000;

/**
 * The slot of one worker process. When the process is replaced, its successor starts beside it, and the old one
 * is ordered to stop when the successor consumes. A process that crashes is started again, after growing pauses.
 */
export class Slot {
  /** Resolves when the slot is empty for good: true if each process that was ordered to stop has ended in order. */
  readonly ended: Promise<boolean>;

  private end!: (inOrder: boolean) => void;
  private current: Occupant | undefined;
  private successor: Occupant | undefined;
  private readonly occupants = new Set<Occupant>();
  private readonly backoff = new Backoff({ firstMs: 500, maxMs: 60_000 });
  private crashes = 0;
  private restarting: NodeJS.Timeout | undefined;
  private stable: NodeJS.Timeout | undefined;
  private isStopping = false;
  private inOrder = true;
  private onReplaced: ((goesOn: boolean) => void)[] = [];
  private readonly log: SlotLog;

  constructor(private readonly options: SlotOptions) {
    this.log = new SlotLog(options.log, options.number);
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  start(): void {
    this.current = this.spawn();
  }

  /**
   * Resolves when another process works in the slot, or the slot stops: false if the other can't work, and none
   * took over.
   */
  replace(reason: string): Promise<boolean> {
    if (this.isStopping) return Promise.resolve(true);
    const replaced = new Promise<boolean>((resolve) => this.onReplaced.push(resolve));
    if (!this.current) {
      // The process has crashed and waits for its restart, which may as well be now.
      this.startAgain();
    } else if (!this.successor) {
      this.log.replacing(this.current, reason);
      this.startAgain();
    }
    return replaced;
  }

  stop(): void {
    this.isStopping = true;
    clearTimeout(this.restarting);
    this.restarting = undefined;
    for (const occupant of this.occupants) this.stopOccupant(occupant);
    this.resolveReplaced(true);
    this.endIfEmpty();
  }

  cancel(): void {
    for (const occupant of this.occupants) occupant.send('cancel');
  }

  kill(): void {
    for (const occupant of this.occupants) occupant.kill();
  }

  private get number(): number {
    return this.options.number;
  }

  private spawn(): Occupant {
    const { lateAfterMs = LATE_AFTER_MS } = this.options;
    const process = this.options.spawn({
      message: (message) => this.message(occupant, message),
      line: (text, stream) => this.options.onLine(this.number, text, stream),
      exited: (exit) => this.exited(occupant, exit),
    });
    const occupant: Occupant = new Occupant(process, lateAfterMs, () => this.log.late(occupant, lateAfterMs));
    this.occupants.add(occupant);
    return occupant;
  }

  private message(occupant: Occupant, message: FromWorker): void {
    occupant.hasSpoken = true;
    if (message.kind === 'refused') this.refused(occupant, message);
    else if (message.kind === 'loaded') this.loaded(occupant);
    else if ('number' in message) this.aboutSuspect(occupant, message);
    else if (message.kind === 'metrics') this.options.metrics?.received(occupant, message);
    // A message of a process that is to stop crossed the order on the way, or is late because the process was
    // busy.
    else if (occupant.isEnding) return;
    else if (message.kind === 'ready') this.ready(occupant);
    else if (message.kind === 'load') this.options.onLoad(this.number, message);
    else if (message.kind === 'restart') this.options.onRestart();
    else if (message.kind === 'empty') occupant.isEnding = true;
    else if (message.kind === 'retiring') {
      occupant.isRetiring = true;
      if (occupant === this.current) void this.replace(message.reason);
    }
  }

  private loaded(occupant: Occupant): void {
    occupant.isLoaded = true;
    this.options.metrics?.joined(occupant);
    this.options.onLoaded();
  }

  /** Applies to processes that are to stop as well: their messages still run. */
  private aboutSuspect(occupant: Occupant, message: AboutSuspect): void {
    const answer = this.options.suspects.receive(occupant, message);
    if (!answer) return;
    if (answer.kind === 'crashed' && message.kind === 'begins')
      this.log.messageGivenUp(occupant, message, answer.deaths);
    occupant.send(answer);
  }

  private ready(occupant: Occupant): void {
    occupant.ready();
    this.options.suspects.ready(occupant);
    this.log.ready(occupant);
    this.options.onReady();
    if (occupant === this.successor) {
      const { current } = this;
      this.current = occupant;
      this.successor = undefined;
      if (current) this.stopOccupant(current);
    }
    this.resolveReplaced(true);
    clearTimeout(this.stable);
    this.stable = setTimeout(() => this.wasStable(), STABLE_AFTER_MS);
  }

  /** The previous process could work: a broken release must not stop what runs, and may be repaired while it does. */
  private refused(occupant: Occupant, refusal: Refusal): void {
    const wasEnding = occupant.isEnding;
    occupant.isEnding = true;
    occupant.isRefused = true;
    this.options.onRefused(refusal);
    if (this.isStopping || wasEnding) return;
    this.leave(occupant);
    this.log.refused(occupant, refusal, this.current !== undefined, this.goOnWithout());
    this.resolveReplaced(false);
  }

  /**
   * Continues after a refusal, and returns what happens to the slot. A process that has reached a limit is
   * still to be replaced.
   */
  private goOnWithout(): string {
    if (!this.current) return `it is started again in ${formatMs(this.startLater())}`;
    if (!this.current.isRetiring) return 'the old process goes on';
    return `the old process goes on, and another is tried in ${formatMs(this.startLater())}`;
  }

  private wasStable(): void {
    this.crashes = 0;
    this.backoff.reset();
  }

  private resolveReplaced(goesOn: boolean): void {
    for (const resolve of this.onReplaced.splice(0)) resolve(goesOn);
  }

  private stopOccupant(occupant: Occupant): void {
    occupant.stop(this.options.killAfterMs, () => this.log.killed(occupant));
  }

  private exited(occupant: Occupant, exit: Exit): void {
    if (!this.occupants.delete(occupant)) return;
    occupant.exited();
    this.options.metrics?.left(occupant);
    const wasCurrent = this.leave(occupant);
    if (occupant.isEnding) this.stopped(occupant, exit);
    else this.crashed(occupant, exit, wasCurrent && this.current !== undefined);
    this.endIfEmpty();
  }

  /** Removes a process from the slot; true if it was the one that works there. */
  private leave(occupant: Occupant): boolean {
    const wasCurrent = occupant === this.current;
    if (wasCurrent) {
      clearTimeout(this.stable);
      // If it was to be replaced, its successor takes over at once.
      this.current = this.successor;
    }
    if (wasCurrent || occupant === this.successor) this.successor = undefined;
    return wasCurrent;
  }

  private stopped(occupant: Occupant, exit: Exit): void {
    this.options.suspects.forget(occupant);
    if (occupant.isRefused) return;
    // A signal to the whole process group may arrive before the process can listen for it.
    if (exit.code === 0 || !occupant.hasSpoken) {
      this.log.stopped(occupant);
      return;
    }
    this.inOrder = false;
    this.log.leftWork(occupant, exit);
  }

  private crashed(occupant: Occupant, exit: Exit, isReplaced: boolean): void {
    // A process that ends before it can have received a message died of no message.
    const blame = occupant.isLoaded ? this.options.suspects.died(occupant, exitText(exit)) : undefined;
    if (this.isStopping) {
      this.inOrder = false;
      return;
    }
    if (isReplaced) {
      this.log.crashedWhileReplaced(occupant, exit);
      return;
    }
    if (blame) {
      const retryInMs = this.startLater(AFTER_BLAME_MS);
      this.log.crashedByMessage(occupant, exit, blame, this.options.crashes, retryInMs);
      return;
    }
    this.crashes += 1;
    this.log.crashed(occupant, exit, this.crashes, this.startLater());
  }

  /** Schedules a restart, later each time unless `inMs` is given; returns the milliseconds. */
  private startLater(inMs = this.backoff.next()): number {
    clearTimeout(this.restarting);
    this.restarting = setTimeout(() => this.startAgain(), inMs);
    return inMs;
  }

  private startAgain(): void {
    clearTimeout(this.restarting);
    this.restarting = undefined;
    // If the successor crashed, it is started again to replace the other.
    if (this.current) this.successor ??= this.spawn();
    else this.current = this.spawn();
  }

  private endIfEmpty(): void {
    if (this.occupants.size > 0 || this.restarting) return;
    clearTimeout(this.stable);
    this.end(this.inOrder);
  }
}
