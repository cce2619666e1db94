import { Backoff } from '../util/backoff.js';
import { systemClock, type Timer } from '../util/clock.js';
import { formatMs } from '../util/duration.js';
import type { Logger } from '../util/logger.js';
import type { AboutSuspect, FromWorker, Refusal, WorkerLoad } from './protocol.js';
import type { Blame, Suspects } from './suspects.js';
import type { Exit, WorkerProcess, WorkerProcessListener } from './worker-process.js';

export interface SlotOptions {
  /** Which one it is, from 1 on: in the log. */
  readonly number: number;
  spawn(listener: WorkerProcessListener): Pick<WorkerProcess, 'pid' | 'tell' | 'kill'>;
  readonly log: Logger;
  onLine(worker: number, text: string, stream: 'stdout' | 'stderr'): void;
  onLoad(worker: number, load: WorkerLoad): void;
  /** An operator wants all workers to be replaced. */
  onRestart(): void;
  /** One consumes. */
  onReady(): void;
  /** One has loaded its application. */
  onLoaded(): void;
  /** A worker can't work as it was started. Called before the slot does anything about it: it may be stopped. */
  onRefused(refusal: Refusal): void;
  /** Finds out which messages kill processes. */
  readonly suspects: Suspects;
  /** After so many deaths a message is given up. */
  readonly crashes: number;
  /** A process that isn't ready by now is told of. @default 60,000 */
  readonly lateAfterMs?: number;
  /** A process that was told to stop is killed after this time: more than its own deadline. */
  readonly killAfterMs: number;
}

/** A process of the slot. */
interface Occupant {
  readonly process: Pick<WorkerProcess, 'pid' | 'tell' | 'kill'>;
  /** It was told to stop, or stops by itself: its end is no crash. */
  isEnding: boolean;
  /** It has said something: so it listens, and ends in order when it is told to. */
  hasSpoken: boolean;
  /** It has loaded it. */
  isLoaded: boolean;
  /** It has reached a limit, and is to be replaced. */
  isRetiring: boolean;
  /** It can't work, and has said so. */
  isRefused: boolean;
  killTimer: Timer | undefined;
  /** Runs until it is ready. */
  lateTimer: NodeJS.Timeout | undefined;
}

/** A process that has worked this long is no part of a crash loop. */
const STABLE_AFTER_MS = 30_000;

/** From so many crashes in a row on it is called one. */
const LOOP_FROM = 3;

/** After a death of which it is known what message is to blame: the next one doesn't die of it by itself. */
const AFTER_BLAME_MS = 100;

const LATE_AFTER_MS = 60_000;

/**
 * The place of one worker. One process works in it; while that is replaced, its successor starts beside it, and it is told
 * to stop once the successor consumes. A process that crashes is started again, more slowly each time.
 */
export class Slot {
  /** Resolves when it is empty for good: true if each process that was told to stop has ended in order. */
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

  /** Resolves when another process works in its place, or the slot stops: false if the other can't work, and none took it. */
  replace(reason: string): Promise<boolean> {
    if (this.isStopping) return Promise.resolve(true);
    const replaced = new Promise<boolean>((resolve) => this.onReplaced.push(resolve));
    if (!this.current) {
      // It has crashed and waits to be started again: now is as good as later.
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
    // What one says that is to stop crosses what it was told, or is late, as it was busy.
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

  /** Also of one that is to stop: what it has begun goes on. */
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

  /** What was started worked before: a broken release must not take down what runs, and may be mended while it does. */
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

  /** After a refusal; says what becomes of the slot. What has reached a limit is still to be replaced. */
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

  /** Takes it out of its place; true if it was the one that works there. */
  private leave(occupant: Occupant): boolean {
    const wasCurrent = occupant === this.current;
    if (wasCurrent) {
      clearTimeout(this.stable);
      // One that was to replace it does so at once.
      this.current = this.successor;
    }
    if (wasCurrent || occupant === this.successor) this.successor = undefined;
    return wasCurrent;
  }

  private stopped(occupant: Occupant, exit: Exit): void {
    this.options.suspects.gone(occupant);
    if (occupant.isRefused) return;
    // A signal to all processes may come before it can listen for one.
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
    // What ends it before it can have had a message is no message's fault.
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

  /** Each time later than before, unless it is told when; says in how many milliseconds. */
  private startLater(inMs = this.backoff.next()): number {
    clearTimeout(this.restarting);
    this.restarting = setTimeout(() => this.startAgain(), inMs);
    return inMs;
  }

  private startAgain(): void {
    clearTimeout(this.restarting);
    this.restarting = undefined;
    // Of two it was the successor that crashed: it is still to replace the other.
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
