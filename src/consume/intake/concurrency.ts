import type { PlannedHandler } from '../../pipeline/handler.js';
import type { Work } from '../../pipeline/work.js';
import { type LaneOrder, strictOrder } from './lane-order.js';
import type { Pause } from './pause.js';
import { WaitingLine } from './waiting-line.js';

/** Of what has been delivered before, a crash watch is asked before it runs. What is decided doesn't run. */
export const asksFirst = ({ received, decided }: Work): boolean =>
  received.redelivered && decided === undefined;

export interface GateOptions {
  /** How much may have started and not ended. */
  readonly limit: number;
  /** Begins the work; {@link Gate.done} is to be called when that has ended, which may be at once. May not throw. */
  readonly start: (work: Work) => void;
  /** What keeps work from starting, whatever room there is. */
  readonly pause: Pause;
  /** How many there are. @default 1 */
  readonly lanes?: number;
  /** Which goes first. @default strictly in their order */
  readonly order?: LaneOrder;
  /** Told, again and again, while there is room, and what could start has to come past what is here. */
  readonly onBlocked?: () => void;
}

/**
 * Lets work of one queue, all its lanes together, or of several queues, start while there is room: among their places,
 * and in its handler. Which lane goes first is its order's business; within a lane it is first come, first served, but for
 * work whose handler is full: that waits without holding a place. What waits is bounded by the lanes' windows.
 */
export class Gate {
  private readonly start: (work: Work) => void;
  private readonly pause: Pause;
  private readonly order: LaneOrder;
  private readonly onBlocked: () => void;
  private limit: number;
  /** One line for each lane. */
  private readonly waiting: readonly WaitingLine[];
  /** Of the handlers that have a limit of their own. */
  private readonly activeOf = new Map<PlannedHandler, number>();
  private active = 0;
  /** How much is in the lines. */
  private here = 0;
  private pumping = false;
  /** Being pushed: what is active now is its own context. */
  private arriving: Work | undefined;
  private begun = 0;
  private readonly onIdle: (() => void)[] = [];

  constructor({ limit, start, pause, lanes = 1, order = strictOrder, onBlocked = () => {} }: GateOptions) {
    this.limit = limit;
    this.start = start;
    this.pause = pause;
    this.order = order;
    this.onBlocked = onBlocked;
    this.waiting = Array.from({ length: lanes }, () => new WaitingLine());
  }

  push(work: Work): void {
    if (this.canBeginAtOnce(work)) {
      this.pumping = true;
      this.begin(work);
      this.pumping = false;
      // What has come or ended meanwhile.
      if (this.here > 0) this.pump();
      return;
    }
    const { arriving } = this;
    this.arriving = work;
    this.lineOf(work.lane).push(work);
    this.here += 1;
    this.pump();
    // Whatever makes room for it later has another one.
    if (this.arriving === work) work.keepContext();
    this.arriving = arriving;
  }

  done({ match }: Work): void {
    this.active -= 1;
    if (match) this.count(match.handler, -1);
    if (this.here > 0 || this.pause.awaitsOne) this.pump();
    if (this.active === 0 && this.onIdle.length > 0) for (const tell of this.onIdle.splice(0)) tell();
  }

  /** While it is still, starts only what was delivered before, and of a lane only if that is its next: it asks first. */
  setStill(isStill: boolean): void {
    this.pause.setSuspect(isStill);
  }

  /** Changes the number of places. What has started goes on. */
  resize(limit: number): void {
    this.limit = limit;
    this.pump();
  }

  /** Takes out what has not started and `test` holds for: of one lane, or of all. */
  takeWaiting(lane?: number, test: (work: Work) => boolean = () => true): Work[] {
    const lines = lane === undefined ? this.waiting : [this.lineOf(lane)];
    const taken = lines.flatMap((line) => line.takeAll(test));
    this.here -= taken.length;
    return taken;
  }

  waitingIn(lane: number): Work[] {
    return this.lineOf(lane).all();
  }

  /** How much of a lane can't start whatever else ends, since its handler is full. */
  blockedIn(lane: number): number {
    return this.lineOf(lane).blocked;
  }

  /** Something more could start, and nothing that is here can. */
  get hasRoom(): boolean {
    return this.active < this.limit && this.pause.begins !== 'none';
  }

  /** How much has started so far. */
  get startedSoFar(): number {
    return this.begun;
  }

  get hasWaiting(): boolean {
    return this.here > 0;
  }

  /** How much of it has started and not ended. */
  get running(): number {
    return this.active;
  }

  /** How much of it is here and has not started. */
  get waitingCount(): number {
    return this.here;
  }

  /** Forgets what waits for a channel that is gone: the broker delivers it again. */
  dropLost(): void {
    this.takeWaiting(undefined, ({ received }) => received.delivery.lost);
  }

  /** Resolves when nothing is running. */
  idle(): Promise<void> {
    if (this.active === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.onIdle.push(resolve);
    });
  }

  /** Starts what may start: to be called when that may be more than before. */
  pump(): void {
    // What ends as soon as it has begun comes here again: the loop that began it goes on, or they would pile up.
    if (this.pumping) return;
    this.pumping = true;
    while (this.hasRoom) {
      const work = this.takeNext();
      if (!work) break;
      this.here -= 1;
      this.begin(work);
    }
    this.pumping = false;
    this.tellIfBlocked();
  }

  /** Nothing waits, nothing is in the way: it need not stand in line. */
  private canBeginAtOnce({ match }: Work): boolean {
    if (this.pumping || this.pause.begins !== 'any' || !this.hasRoom || this.hasWaiting) return false;
    return !match || this.handlerHasRoom(match.handler);
  }

  /** As by itself after each start and end: for whoever could do nothing about it when it was told. */
  tellIfBlocked(): void {
    const { awaitsOne, begins } = this.pause;
    if (this.hasRoom && begins !== 'redelivered' && (awaitsOne || this.isBlocked)) this.onBlocked();
  }

  private get isBlocked(): boolean {
    for (const line of this.waiting) if (line.blocked > 0) return true;
    return false;
  }

  private takeNext(): Work | undefined {
    if (this.waiting.length === 1) return this.canStartIn(0) ? this.lineOf(0).take() : undefined;
    const lanes = [...this.waiting.keys()].filter((lane) => this.canStartIn(lane));
    return lanes.length === 0 ? undefined : this.lineOf(this.order.next(lanes)).take();
  }

  /** Looks for the next of a lane, which is then the line's to take. */
  private canStartIn(lane: number): boolean {
    const next = this.lineOf(lane).find(this.handlerHasRoom);
    return next !== undefined && (this.pause.begins !== 'redelivered' || asksFirst(next));
  }

  private readonly handlerHasRoom = (handler: PlannedHandler): boolean =>
    handler.concurrency >= this.limit || (this.activeOf.get(handler) ?? 0) < handler.concurrency;

  private begin(work: Work): void {
    this.active += 1;
    this.begun += 1;
    if (work.match) {
      const { handler } = work.match;
      this.count(handler, 1);
      if (this.pause.awaitsOne) this.pause.hasBegun(work);
    }
    if (this.arriving === work) this.arriving = undefined;
    if (work.hasWaited) work.inContext(this.start);
    else this.start(work);
  }

  private count(handler: PlannedHandler, change: 1 | -1): void {
    if (handler.concurrency !== Number.POSITIVE_INFINITY)
      this.activeOf.set(handler, (this.activeOf.get(handler) ?? 0) + change);
  }

  private lineOf(lane: number): WaitingLine {
    return this.waiting[lane] as WaitingLine;
  }
}
