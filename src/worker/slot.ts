import { Backoff } from '../util/backoff.js';
import { systemClock, type Timer } from '../util/clock.js';
import { formatMs } from '../util/duration.js';
import type { Logger } from '../util/logger.js';
import type { AboutSuspect, FromWorker, Refusal, WorkerLoad } from './protocol.js';
import type { Blame, Suspects } from './suspects.js';
import type { Exit, WorkerProcess, WorkerProcessListener } from './worker-process.js';

export interface SlotOptions {
  /** Number of the slot in the log, starting at 1. */
  readonly number: number;
  spawn(listener: WorkerProcessListener): Pick<WorkerProcess, 'pid' | 'tell' | 'kill'>;
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
  /** Deaths after which a message is given up. */
  readonly crashes: number;
  /** Time after which a process that is not ready is reported. @default 60,000 */
  readonly lateAfterMs?: number;
  /** Time after which a process that was told to stop is killed: longer than its own deadline. */
  readonly killAfterMs: number;
}

/** A process in the slot. */
interface Occupant {
  readonly process: Pick<WorkerProcess, 'pid' | 'tell' | 'kill'>;
  /** The process was told to stop, or stops by itself: its end is no crash. */
  isEnding: boolean;
  /** The process has sent a message, so it listens, and stops in order when it is told to. */
  hasSpoken: boolean;
  /** The process has loaded the application. */
  isLoaded: boolean;
  /** The process has reached a limit, and is to be replaced. */
  isRetiring: boolean;
  /** The process has reported that it can't run. */
  isRefused: boolean;
  killTimer: Timer | undefined;
  /** Runs until the process is ready. */
  lateTimer: NodeJS.Timeout | undefined;
}

/** Uptime after which a crash is not counted as part of a loop. */
const STABLE_AFTER_MS = 30_000;

/** Crashes in a row from which on they are reported as a loop. */
const LOOP_FROM = 3;

/** Pause before the restart if a message was found to be the cause: the next process does not die by itself. */
const AFTER_BLAME_MS = 100;

const LATE_AFTER_MS = 60_000;

/**
 * The slot of one worker process. When the process is replaced, its successor starts beside it, and the old one
 * is told to stop when the successor consumes. A process that crashes is started again, after growing pauses.
 */
export class Slot {
  /** Resolves when the slot is empty for good: true if each process that was told to stop has ended in order. */
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

  constructor(private readonly options: SlotOptions) {
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
      this.options.log.info(this.fields(this.current), `worker ${this.number} is replaced: ${reason}`);
      this.startAgain();
    }
    return replaced;
  }

  stop(): void {
    this.isStopping = true;
    clearTimeout(this.restarting);
    this.restarting = undefined;
    for (const occupant of this.occupants) this.tellToStop(occupant);
    this.tellReplaced(true);
    this.endIfEmpty();
  }

  cancel(): void {
    for (const { process } of this.occupants) process.tell('cancel');
  }

  kill(): void {
    for (const { process } of this.occupants) process.kill();
  }

  private get lateAfterMs(): number {
    return this.options.lateAfterMs ?? LATE_AFTER_MS;
  }

  private get number(): number {
    return this.options.number;
  }

  private spawn(): Occupant {
    const listener: WorkerProcessListener = {
      message: (message) => this.message(occupant, message),
      line: (text, stream) => this.options.onLine(this.number, text, stream),
      exited: (exit) => this.exited(occupant, exit),
    };
    const occupant: Occupant = {
      process: this.options.spawn(listener),
      isEnding: false,
      hasSpoken: false,
      isLoaded: false,
      isRetiring: false,
      isRefused: false,
      killTimer: undefined,
      lateTimer: setTimeout(() => this.isLate(occupant), this.lateAfterMs),
    };
    this.occupants.add(occupant);
    return occupant;
  }

  private message(occupant: Occupant, message: FromWorker): void {
    occupant.hasSpoken = true;
    if (message.kind === 'refused') this.refused(occupant, message);
    else if (message.kind === 'loaded') this.loaded(occupant);
    else if ('number' in message) this.heardOfSuspect(occupant, message);
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
    this.options.onLoaded();
  }

  /** Applies to processes that are to stop as well: their messages still run. */
  private heardOfSuspect(occupant: Occupant, message: AboutSuspect): void {
    const answer = this.options.suspects.heard(occupant, message);
    if (!answer) return;
    if (answer.kind === 'crashed' && message.kind === 'begins') {
      const { queue, messageId } = message;
      this.options.log.error(
        { ...this.fields(occupant), queue, messageId, deaths: answer.deaths },
        `a message of '${queue}' is dead-lettered as crashed: ${answer.deaths.length} processes ended while they ran it alone`,
      );
    }
    occupant.process.tell(answer);
  }

  private isLate(occupant: Occupant): void {
    this.options.log.warn(
      this.fields(occupant),
      `worker ${this.number} is not ready after ${formatMs(this.lateAfterMs)}: ${occupant.isLoaded ? 'its buses have not started' : 'its application is still being loaded'}`,
    );
  }

  private ready(occupant: Occupant): void {
    clearTimeout(occupant.lateTimer);
    this.options.suspects.ready(occupant);
    this.options.log.info(this.fields(occupant), `worker ${this.number} is ready`);
    this.options.onReady();
    if (occupant === this.successor) {
      const { current } = this;
      this.current = occupant;
      this.successor = undefined;
      if (current) this.tellToStop(current);
    }
    this.tellReplaced(true);
    clearTimeout(this.stable);
    this.stable = setTimeout(() => this.wasStable(), STABLE_AFTER_MS);
  }

  /** The previous process could work: a broken release must not stop what runs, and may be repaired while it does. */
  private refused(occupant: Occupant, refusal: Refusal): void {
    const { message, help } = refusal;
    const wasEnding = occupant.isEnding;
    occupant.isEnding = true;
    occupant.isRefused = true;
    this.options.onRefused(refusal);
    if (this.isStopping || wasEnding) return;
    this.leave(occupant);
    this.options.log.error(
      { ...this.fields(occupant), help },
      `worker ${this.number} can't be ${this.current ? 'replaced' : 'run'}: ${message}; ${this.goOnWithout()}`,
    );
    this.tellReplaced(false);
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

  private tellReplaced(goesOn: boolean): void {
    for (const tell of this.onReplaced.splice(0)) tell(goesOn);
  }

  private tellToStop(occupant: Occupant): void {
    if (occupant.isEnding) return;
    occupant.isEnding = true;
    occupant.process.tell('stop');
    occupant.killTimer = systemClock.setTimer(() => {
      this.options.log.error(this.fields(occupant), `worker ${this.number} does not stop, and is killed`);
      occupant.process.kill();
    }, this.options.killAfterMs);
  }

  private exited(occupant: Occupant, exit: Exit): void {
    if (!this.occupants.delete(occupant)) return;
    occupant.killTimer?.cancel();
    clearTimeout(occupant.lateTimer);
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
    this.options.suspects.gone(occupant);
    if (occupant.isRefused) return;
    // A signal to the whole process group may arrive before the process can listen for it.
    if (exit.code === 0 || !occupant.hasSpoken) {
      this.options.log.info(this.fields(occupant), `worker ${this.number} has stopped`);
      return;
    }
    this.inOrder = false;
    this.options.log.error(
      { ...this.fields(occupant), ...exit },
      `worker ${this.number} has stopped, and left work behind`,
    );
  }

  private crashed(occupant: Occupant, exit: Exit, isReplaced: boolean): void {
    const { suspects } = this.options;
    // A process that ends before it can have received a message died of no message.
    const blame = occupant.isLoaded ? suspects.died(occupant, exitText(exit)) : undefined;
    if (this.isStopping) {
      this.inOrder = false;
      return;
    }
    if (isReplaced) {
      this.options.log.error(
        { ...this.fields(occupant), ...exit },
        `worker ${this.number} has ended with ${exitText(exit)}, while it was being replaced`,
      );
      return;
    }
    if (blame) {
      this.crashedBy(blame, occupant, exit);
      return;
    }
    this.crashes += 1;
    const retryInMs = this.startLater();
    const { crashes, number } = this;
    const again = `it is started again in ${formatMs(retryInMs)}`;
    this.options.log.error(
      { ...this.fields(occupant), ...exit, crashes, retryInMs },
      crashes < LOOP_FROM
        ? `worker ${number} has ended with ${exitText(exit)}; ${again}`
        : `worker ${number} crashes again and again, ${crashes} times so far, now with ${exitText(exit)}; ${again}`,
    );
  }

  private crashedBy({ queue, messageId, deaths }: Blame, occupant: Occupant, exit: Exit): void {
    const { log, crashes } = this.options;
    const retryInMs = this.startLater(AFTER_BLAME_MS);
    log.error(
      { ...this.fields(occupant), ...exit, queue, messageId, deaths, retryInMs },
      `worker ${this.number} has ended with ${exitText(exit)} while it ran nothing but one message of '${queue}', ${deaths} of ${crashes} times; it is started again in ${formatMs(retryInMs)}`,
    );
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

  private fields(occupant: Occupant | undefined) {
    return { worker: this.number, pid: occupant?.process.pid };
  }
}

function exitText({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : signal;
}
