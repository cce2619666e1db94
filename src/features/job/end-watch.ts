import { randomUUID } from 'node:crypto';
import { StoppedError } from '../../errors.js';
import type { StoredJob } from '../../stores/jobs.js';
import type { Names } from '../../topology/names.js';
import type { Session } from '../../transport/transport.js';
import type { Clock, Timer } from '../../util/clock.js';
import { type Deferred, deferred } from '../../util/deferred.js';
import type { Logger } from '../../util/logger.js';
import { decodeNotices, type JobNotice } from './notices.js';
import type { JobRecords } from './records.js';

export interface EndWatchOptions {
  readonly records: JobRecords;
  readonly names: Pick<Names, 'control'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** @throws NotStartedError, StoppedError */
  session(): Pick<Session, 'listen'>;
}

/** Milliseconds until the store is asked again about a job that is waited for. */
const ASK_EVERY_MS = 1_000;
/** The same for one whose end this process is to be told: only what was not told has to be asked for. */
const ASK_SELDOM_MS = 10_000;

/** Pause after which a process that can't be told tries again to listen: a refusal costs it a channel. */
const LISTEN_AGAIN_MS = 60_000;

/** Ends that are kept, and the longest text that is kept of one. */
const MOST_HEARD = 20_000;
const MOST_TEXT = 1_024;

/** Waiting for an end. */
export interface EndWait {
  /** Resolves with the end; with undefined if the store doesn't know the job. Rejects with a StoppedError. */
  readonly ended: Promise<JobNotice | undefined>;
  /** Ends the waiting: nothing is asked any more for who has left. */
  leave(): void;
}

interface Wait {
  readonly ended: Deferred<JobNotice | undefined>;
  readonly isTold: boolean;
  /** Number of those who wait. */
  users: number;
  /** In monotonic milliseconds. */
  askAt: number;
}

/** Prefix of the queues in which processes hear of ends: nobody else is told anything. */
export const noticeQueues = ({ control }: Pick<Names, 'control'>): string => `${control}.jobs.`;

/**
 * Waits for the ends of jobs: a process is told those of jobs that it has sent, and asks the store about the others, and about what it
 * may have missed. What it does for nobody who waits is nothing.
 */
export class EndWatch {
  private readonly waits = new Map<string, Wait>();
  /**
   * Ends that were told, the oldest first: for who waits later, or once more. `ask` for a long one, and for one that may change, since a dead
   * letter can be replayed: the store has it.
   */
  private readonly heard = new Map<string, JobNotice | 'ask'>();
  /** Queue in which it is told; undefined before it listens. */
  private queue: string | undefined;
  private isListening = false;
  /** Not tried to listen before, in monotonic milliseconds. */
  private listenFrom = Number.NEGATIVE_INFINITY;
  private hasWarned = false;
  private timer: Timer | undefined;
  private isAsking = false;
  private hasStopped = false;

  constructor(private readonly options: EndWatchOptions) {}

  /** Queue in which this process hears of ends, once it listens; the first call begins to. */
  address(): string | undefined {
    if (!this.isListening && this.options.clock.monotonic() >= this.listenFrom) void this.listen();
    return this.queue;
  }

  /**
   * Waits for the end of a job. One look at the store serves all who wait for it.
   *
   * @param isTold true for a job that this process has sent with its address
   */
  endOf(id: string, isTold: boolean): EndWait {
    if (this.hasStopped) return { ended: Promise.reject(stopped()), leave: nothing };
    const known = this.heard.get(id);
    if (typeof known === 'object') return { ended: Promise.resolve(known), leave: nothing };
    const wait = this.waits.get(id) ?? this.newWait(id, isTold, known === 'ask');
    wait.users += 1;
    const leave = () => {
      wait.users -= 1;
      if (wait.users === 0 && this.waits.get(id) === wait) this.waits.delete(id);
    };
    return { ended: wait.ended.promise, leave };
  }

  private newWait(id: string, isTold: boolean, hasEnded: boolean): Wait {
    const now = this.options.clock.monotonic();
    const delayMs = isTold && !hasEnded ? ASK_SELDOM_MS : 0;
    const wait: Wait = { ended: deferred(), isTold, users: 0, askAt: now + delayMs };
    this.waits.set(id, wait);
    this.schedule(delayMs);
    return wait;
  }

  /** Ends all waiting. @param forGood false if the bus may start again */
  end(forGood: boolean): void {
    this.hasStopped = forGood;
    this.isListening = false;
    this.listenFrom = Number.NEGATIVE_INFINITY;
    this.queue = undefined;
    this.timer?.cancel();
    this.timer = undefined;
    for (const { ended } of this.waits.values()) {
      // Who waits may have left.
      ended.promise.catch(nothing);
      ended.reject(stopped());
    }
    this.waits.clear();
    this.heard.clear();
  }

  private async listen(): Promise<void> {
    this.isListening = true;
    const { names, log, clock } = this.options;
    let own = '';
    const queueName = () => {
      own = `${noticeQueues(names)}${randomUUID()}`;
      return own;
    };
    const back = () => {
      this.queue = own;
      this.askSoon();
    };
    try {
      const heard = ({ body }: { body: Buffer }) => this.told(decodeNotices(body));
      await this.options.session().listen({ exchange: '', key: '', queueName }, { heard, back });
      this.queue = own;
    } catch (error) {
      this.isListening = false;
      this.listenFrom = clock.monotonic() + LISTEN_AGAIN_MS;
      if (this.hasStopped) return;
      log[this.hasWarned ? 'debug' : 'warn'](
        { queue: own, error },
        'this process can not be told of the ends of its jobs, and asks the store about them each second: if its user lacks permissions, give it configure and read on that queue, whose last word differs in each process',
      );
      this.hasWarned = true;
    }
  }

  private told(notices: readonly JobNotice[]): void {
    for (const notice of notices) {
      const wait = this.waits.get(notice.id);
      this.keep(notice);
      if (wait && notice.isPartial) wait.askAt = 0;
      else this.settle(notice.id, notice);
    }
    if (notices.some(({ isPartial }) => isPartial)) this.schedule(0);
  }

  private keep(notice: JobNotice): void {
    const { id, state, isPartial, result = '', error = '' } = notice;
    const isFinal = state !== 'dead-lettered' && !isPartial && result.length + error.length <= MOST_TEXT;
    this.remember(id, isFinal ? notice : 'ask');
  }

  private remember(id: string, end: JobNotice | 'ask'): void {
    this.heard.delete(id);
    this.heard.set(id, end);
    if (this.heard.size <= MOST_HEARD) return;
    for (const oldest of this.heard.keys()) {
      this.heard.delete(oldest);
      return;
    }
  }

  private settle(id: string, end: JobNotice | undefined): void {
    this.waits.get(id)?.ended.resolve(end);
    this.waits.delete(id);
  }

  /** What was told while the connection was lost is lost. */
  private askSoon(): void {
    const now = this.options.clock.monotonic();
    for (const wait of this.waits.values()) wait.askAt = now;
    this.timer?.cancel();
    this.timer = undefined;
    this.schedule(0);
  }

  private schedule(delayMs: number): void {
    if (this.isAsking || this.waits.size === 0) return;
    if (this.timer && delayMs > 0) return;
    this.timer?.cancel();
    this.timer = this.options.clock.setTimer(() => void this.ask(), delayMs);
  }

  /** Never rejects. */
  private async ask(): Promise<void> {
    this.timer = undefined;
    this.isAsking = true;
    const { clock, records, log } = this.options;
    const now = clock.monotonic();
    const due = [...this.waits].filter(([, { askAt }]) => askAt <= now);
    for (const [, wait] of due) wait.askAt = now + (wait.isTold && this.queue ? ASK_SELDOM_MS : ASK_EVERY_MS);
    try {
      await Promise.all(
        due.map(async ([id]) => {
          const job = await records.find(id);
          if (job && job.endedAt === undefined) return;
          if (job) this.keep(noticeOf(job));
          else this.remember(id, 'ask');
          this.settle(id, job && noticeOf(job));
        }),
      );
    } catch (error) {
      log.debug({ error }, 'whether jobs have ended could not be asked; asking again');
    }
    this.isAsking = false;
    this.schedule(ASK_EVERY_MS);
  }
}

const nothing = (): void => {};

const stopped = () => new StoppedError('no end of a job can come');

const noticeOf = ({ id, state, result, resultProblem, error, reason }: StoredJob): JobNotice => ({
  ...{ id, state: state as JobNotice['state'], result, resultProblem, error, reason },
});
