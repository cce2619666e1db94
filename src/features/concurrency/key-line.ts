import type { PermitAnswer } from '../../stores/semaphores.js';
import type { Clock } from '../../util/clock.js';
import { deferred } from '../../util/deferred.js';

/** Time of a permit. */
export interface PermitTime {
  /** Milliseconds for which it is taken. */
  readonly forMs: number;
  /** Milliseconds of it that must be left when code begins. */
  readonly leastMs: number;
}

/** Permit that this process has of a key. */
export class Permit {
  /** True once it is given back. */
  isOver = false;
  /** When a message got it last, in monotonic milliseconds. */
  handedAt: number;

  constructor(
    readonly line: KeyLine,
    readonly owner: string,
    /** When it was taken, and until when it is held, in monotonic milliseconds. */
    readonly takenAt: number,
    public until: number,
  ) {
    this.handedAt = takenAt;
  }
}

/** Turn of a message that has waited: a permit; `overdue` if it is to wait elsewhere; `left` if it has been told to leave. */
export type Turn = Permit | 'overdue' | 'left';

/** A message's place among those that wait. */
export interface Place {
  /** @throws what the store throws */
  readonly turn: Promise<Turn>;
  leave(): void;
}

interface Waiter {
  /** Wall-clock milliseconds of its publish: the oldest goes first. */
  readonly age: number;
  /** Monotonic milliseconds. */
  readonly since: number;
  readonly time: PermitTime;
  readonly resolve: (turn: Turn) => void;
  readonly reject: (error: unknown) => void;
}

export interface KeyLineParts {
  readonly clock: Clock;
  /** Owners of permits, each for one permit. */
  nextOwner(): string;
  limit(): number;
  acquire(name: string, owner: string, forMs: number): Promise<PermitAnswer>;
  /** Never rejects. */
  release(permit: Permit): Promise<void>;
  /** Gives back what an ask has taken whose answer never came, or comes too late. */
  takeBack(name: string, owner: string): void;
  /** Called when the line may have to ask for those that wait. */
  onWaiting(line: KeyLine): void;
  /** Called when nobody waits any more. */
  onNoneWaiting(line: KeyLine): void;
  onEmpty(line: KeyLine): void;
}

/** Time for which a process hands its permit on among its own messages, while others may wait for it. */
const HANDED_ON_MS = 500;

/** Pause between two asks for a key that is taken: an eighth of what was waited so far, shared by all that wait, within these. */
const LEAST_PAUSE_MS = 4;
const MOST_PAUSE_MS = 1_000;

/** Longest time that a message waits in the process: the broker counts, too. */
const MOST_WAIT_MS = 300_000;

/** Permits that are asked for at once. */
const MOST_ASKED = 50;

const pauseFor = (ms: number, waiting = 1): number =>
  Math.min(Math.max(ms / 8 / waiting, LEAST_PAUSE_MS), MOST_PAUSE_MS);

/**
 * One key, as this process sees it: the permits that it has, and the messages that wait for one, the oldest first. A permit goes from
 * message to message without a word to the store, for a while. Otherwise one asks for all that wait, with pauses that grow with
 * the wait: however many messages wait, and however long, the store is asked little.
 */
export class KeyLine {
  private readonly waiting: Waiter[] = [];
  /** Permits that this process has or is asking for. */
  private mine = 0;
  private isAsking = false;
  /** Moment from which on it asks again, and the one since which it has waited without a permit, in monotonic milliseconds. */
  askAt = 0;
  private since = 0;
  /** Moment from which on somebody has waited here for too long. */
  private overdueAt = 0;
  /** How long a message has a permit, when the last one had it, and the moment for which the last message was sent away. */
  private turnMs = 0;
  private movedAt: number;
  private promisedAt = 0;

  constructor(
    readonly name: string,
    private readonly parts: KeyLineParts,
  ) {
    this.movedAt = parts.clock.monotonic();
  }

  get isEmpty(): boolean {
    return this.mine === 0 && this.waiting.length === 0;
  }

  get size(): number {
    return this.waiting.length;
  }

  /** False while its permits are known to be taken. */
  get mayAsk(): boolean {
    return this.waiting.length === 0 && this.mine < this.parts.limit();
  }

  /** Undefined if all are taken. @throws what the store throws */
  async ask({ forMs }: PermitTime): Promise<Permit | undefined> {
    const { parts, name } = this;
    const owner = parts.nextOwner();
    const askedAt = parts.clock.monotonic();
    this.mine += 1;
    let answer: PermitAnswer | undefined;
    try {
      answer = await parts.acquire(name, owner, forMs);
    } catch (error) {
      parts.takeBack(name, owner);
      throw error;
    } finally {
      if (answer?.kind !== 'taken') this.mine -= 1;
      if (this.isEmpty) parts.onEmpty(this);
    }
    if (answer.kind === 'taken') return new Permit(this, owner, askedAt, askedAt + forMs);
    this.askAt = parts.clock.monotonic() + Math.min(LEAST_PAUSE_MS, answer.leftMs);
    return undefined;
  }

  /** Has a message wait; undefined if `most` older ones do. One that is younger leaves for it. */
  wait(age: number, time: PermitTime, most: number): Place | undefined {
    const { clock, onWaiting } = this.parts;
    if (this.waiting.length >= most) {
      const youngest = this.waiting.at(-1);
      if (!youngest || youngest.age <= age) return undefined;
      this.waiting.pop();
      youngest.resolve('overdue');
    }
    const now = clock.monotonic();
    if (this.waiting.length === 0) {
      this.since = now;
      this.overdueAt = now + MOST_WAIT_MS;
      this.askAt = Math.max(this.askAt, now + LEAST_PAUSE_MS);
    }
    const { promise: turn, resolve, reject } = deferred<Turn>();
    const waiter = { age, since: now, time, resolve, reject };
    this.insert(waiter);
    onWaiting(this);
    return { turn, leave: () => this.leave(waiter) };
  }

  /** Called when the code has ended that ran with the permit. Resolves when the store has it back, if it goes back. Never rejects. */
  ended(permit: Permit): Promise<void> | undefined {
    const now = this.parts.clock.monotonic();
    this.turnMs = (now - permit.handedAt + this.turnMs) / 2;
    this.movedAt = now;
    const [next] = this.waiting;
    const goesOn =
      next !== undefined &&
      now - permit.takenAt < HANDED_ON_MS &&
      permit.until - now >= next.time.leastMs &&
      this.mine <= this.parts.limit();
    if (!goesOn) return this.giveBack(permit);
    this.hand(permit);
    return undefined;
  }

  /** Moment at which the line is to be attended to again, in monotonic milliseconds. */
  get attendAt(): number {
    const { clock, limit } = this.parts;
    const mayAsk = !this.isAsking && this.mine < limit();
    // An operator may raise the limit at any time.
    return Math.min(this.overdueAt, mayAsk ? this.askAt : clock.monotonic() + MOST_PAUSE_MS);
  }

  /** Asks for those that wait, if it is time to; and those go that have waited for long. */
  attend(now: number): void {
    if (now >= this.overdueAt) this.dropOverdue(now);
    if (this.waiting.length === 0) this.noteNoneWaiting();
    else if (!this.isAsking && now >= this.askAt && this.mine < this.parts.limit()) void this.askForWaiting();
  }

  /**
   * Milliseconds after which a message that can't wait here may have its turn: by those that wait, those that were sent away before it,
   * and by how long nothing has moved.
   */
  promise(): number {
    const now = this.parts.clock.monotonic();
    const turnMs = this.turnMs / this.parts.limit();
    this.promisedAt = Math.max(this.promisedAt, now + this.waiting.length * turnMs) + turnMs;
    return Math.max(this.promisedAt - now, (now - this.movedAt) / 2);
  }

  /** One trip for as many permits as there may be for those that wait. Never rejects. */
  private async askForWaiting(): Promise<void> {
    const { clock, limit } = this.parts;
    const [first] = this.waiting;
    if (!first) return;
    const wanted = Math.min(this.waiting.length, limit() - this.mine, MOST_ASKED);
    this.isAsking = true;
    const asked = await Promise.allSettled(Array.from({ length: wanted }, () => this.ask(first.time)));
    this.isAsking = false;
    const now = clock.monotonic();
    for (const each of asked) if (each.status === 'fulfilled' && each.value) this.hand(each.value);
    const failed = asked.find(({ status }) => status === 'rejected');
    if (failed) this.giveUp((failed as PromiseRejectedResult).reason);
    else if (asked.some((each) => each.status === 'fulfilled' && !each.value))
      this.askAt = now + pauseFor(now - this.since, this.waiting.length);
    if (this.waiting.length > 0) this.parts.onWaiting(this);
  }

  private hand(permit: Permit): void {
    const next = this.waiting.shift();
    if (!next) {
      void this.giveBack(permit);
      return;
    }
    permit.handedAt = this.parts.clock.monotonic();
    next.resolve(permit);
    this.noteNoneWaiting();
  }

  private giveBack(permit: Permit): Promise<void> {
    const { clock, release, onEmpty } = this.parts;
    const now = clock.monotonic();
    permit.isOver = true;
    this.mine -= 1;
    if (this.waiting.length > 0) {
      this.since = now;
      // Those go first that wait for it elsewhere.
      this.askAt = now + pauseFor(now - permit.takenAt);
      this.parts.onWaiting(this);
    }
    if (this.isEmpty) onEmpty(this);
    return release(permit);
  }

  /** The store is away: all that waits comes back later. */
  private giveUp(error: unknown): void {
    for (const { reject } of this.waiting.splice(0)) reject(error);
    this.noteNoneWaiting();
  }

  private leave(waiter: Waiter): void {
    const index = this.waiting.indexOf(waiter);
    if (index < 0) return;
    this.waiting.splice(index, 1);
    waiter.resolve('left');
    this.noteNoneWaiting();
  }

  private dropOverdue(now: number): void {
    const overdue = this.waiting.filter(({ since }) => now - since >= MOST_WAIT_MS);
    for (const waiter of overdue) {
      this.waiting.splice(this.waiting.indexOf(waiter), 1);
      waiter.resolve('overdue');
    }
    this.overdueAt = Math.min(...this.waiting.map(({ since }) => since)) + MOST_WAIT_MS;
  }

  private insert(waiter: Waiter): void {
    const { waiting } = this;
    let index = waiting.length;
    while (index > 0 && (waiting[index - 1] as Waiter).age > waiter.age) index -= 1;
    waiting.splice(index, 0, waiter);
  }

  private noteNoneWaiting(): void {
    if (this.waiting.length > 0) return;
    this.parts.onNoneWaiting(this);
    if (this.isEmpty) this.parts.onEmpty(this);
  }
}
