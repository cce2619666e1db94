import type { PlannedHandler } from '../../pipeline/handler.js';
import type { Work } from '../../pipeline/work.js';
import { asksFirst } from '../attempt/crash-watch.js';
import { type LaneOrder, strictOrder } from '../handlers/lane-order.js';
import { HandlerRooms } from './handler-rooms.js';
import { ParkedWork } from './parked.js';
import type { Pause } from './pause.js';
import { WaitingLine } from './waiting-line.js';

export interface GateOptions {
  /** Slots: the maximum work that has started and not ended. */
  readonly limit: number;
  /** Begins the work; {@link Gate.done} must be called when it has ended, which may be at once. May not throw. */
  readonly start: (work: Work) => void;
  /** Pauses that keep work from starting, however many slots are free. */
  readonly pause: Pause;
  /** Number of lanes. @default 1 */
  readonly lanes?: number;
  /** Order of the lanes. @default strictly in the order of the list */
  readonly order?: LaneOrder;
  /** Called again and again while slots are free, and only work that is not here yet could use them. */
  readonly onBlocked?: () => void;
  /** False for work that must not be parked. @default all may be */
  readonly mayPark?: (work: Work) => boolean;
}

/**
 * Gate of one slot group: work starts while a slot is free and its handler has room. The order says which lane goes
 * first; within a lane it is first come, first served, except for work whose handler is full: that waits without holding
 * a slot. The lanes' windows bound the work that waits. Work that has begun and can't go on is parked: it gives its slot back, and takes
 * the next one when it can.
 */
export class Gate {
  private readonly start: (work: Work) => void;
  private readonly pause: Pause;
  private readonly order: LaneOrder;
  private readonly onBlocked: () => void;
  private readonly mayPark: (work: Work) => boolean;
  private readonly parked: ParkedWork;
  private slots: number;
  /** One line for each lane. */
  private readonly waiting: readonly WaitingLine[];
  private readonly rooms = new HandlerRooms();
  private active = 0;
  /** Amount of work in the lines. */
  private here = 0;
  private pumping = false;
  /** Work that is being pushed: the active async context is its own. */
  private arriving: Work | undefined;
  private begun = 0;
  private readonly onIdle: (() => void)[] = [];

  constructor(options: GateOptions) {
    const { limit, start, pause, lanes = 1, order = strictOrder } = options;
    const { onBlocked = () => {}, mayPark = () => true } = options;
    this.slots = limit;
    this.start = start;
    this.pause = pause;
    this.order = order;
    this.onBlocked = onBlocked;
    this.mayPark = mayPark;
    this.parked = new ParkedWork(lanes);
    this.waiting = Array.from({ length: lanes }, () => new WaitingLine());
  }

  push(work: Work): void {
    if (this.canBeginAtOnce(work)) {
      this.pumping = true;
      this.begin(work);
      this.pumping = false;
      // For work that has come or ended meanwhile.
      if (this.here > 0 || this.parked.size > 0) this.pump();
      return;
    }
    const { arriving } = this;
    this.arriving = work;
    this.lineOf(work.lane).push(work);
    this.here += 1;
    this.pump();
    // The call that makes room for it later has another async context.
    if (this.arriving === work) work.keepContext();
    this.arriving = arriving;
  }

  done(work: Work): void {
    if (this.parked.size === 0 || !this.parked.remove(work)) this.giveSlot(work);
    if (this.here > 0 || this.parked.size > 0 || this.pause.awaitsOne) this.pump();
    if (this.isIdle && this.onIdle.length > 0) for (const resolve of this.onIdle.splice(0)) resolve();
  }

  /** As {@link Parking.park}; called for work that has begun. */
  park(work: Work, most: number, leave: () => void): boolean {
    // It would wait for nothing: it comes again, and nobody would tell it to leave.
    if (work.received.delivery.lost) return false;
    // While little may begin, what waits would keep out what is to begin.
    if (this.pause.begins !== 'any' || this.blockedIn(work.lane) >= most || !this.mayPark(work)) return false;
    this.parked.add(work, leave);
    this.giveSlot(work);
    this.pump();
    return true;
  }

  /** As {@link Parking.resume}. */
  resume(work: Work): boolean | Promise<boolean> {
    if (this.parked.hasLeft(work)) return false;
    const handler = work.match?.handler;
    const mayGoOn = this.hasRoom && this.pause.begins === 'any' && !this.parked.hasReady;
    if (!mayGoOn || (handler && !this.handlerHasRoom(handler))) return this.parked.waitForSlot(work);
    this.parked.remove(work);
    this.takeSlot(work);
    return true;
  }

  /** While the gate is still, only redelivered messages start, and of each lane only its next message: the watch is asked first. */
  setStill(isStill: boolean): void {
    this.pause.setSuspect(isStill);
  }

  /** Changes the number of slots. Work that has started goes on. */
  resize(slots: number): void {
    this.slots = slots;
    this.pump();
  }

  /** Changes how many messages of a handler run at once: see {@link HandlerRooms.limit}. Work that has started goes on. */
  limit(handler: PlannedHandler, limit: number | undefined): void {
    this.rooms.limit(handler, limit);
    this.pump();
  }

  /**
   * Takes out work that has not started and for which `test` is true: of one lane, or of all. Of all, parked work is told to leave, too: it
   * ends by itself.
   */
  takeWaiting(lane?: number, test: (work: Work) => boolean = () => true): Work[] {
    if (lane === undefined) this.parked.evict(test);
    const lines = lane === undefined ? this.waiting : [this.lineOf(lane)];
    const taken = lines.flatMap((line) => line.takeAll(test));
    this.here -= taken.length;
    return taken;
  }

  waitingIn(lane: number): Work[] {
    return this.lineOf(lane).all();
  }

  parkedIn(lane: number): Work[] {
    return this.parked.ofLane(lane);
  }

  /** Amount of a lane's work that can't start because its handler is full, or is parked. */
  blockedIn(lane: number): number {
    return this.lineOf(lane).blocked + this.parked.inLane(lane);
  }

  /** True for a handler's work that has begun, has not ended, and is not parked. */
  holdsSlot(work: Work): boolean {
    return this.rooms.has(work);
  }

  /** True while a slot is free, and a pause does not keep everything from starting. */
  get hasRoom(): boolean {
    return this.active < this.slots && this.pause.begins !== 'none';
  }

  /** Amount of work that has started so far. */
  get startedSoFar(): number {
    return this.begun;
  }

  get hasWaiting(): boolean {
    return this.here > 0;
  }

  /** Amount of work that has started and not ended. */
  get running(): number {
    return this.active;
  }

  /** Amount of work that is here and has not started, or is parked. */
  get waitingCount(): number {
    return this.here + this.parked.size;
  }

  /** Forgets waiting work whose channel is gone: the broker delivers it again. */
  dropLost(): void {
    this.takeWaiting(undefined, ({ received }) => received.delivery.lost);
  }

  /** Resolves when nothing is running or parked. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      this.onIdle.push(resolve);
    });
  }

  /** Starts all work that may start. Must be called whenever that may be more than before. */
  pump(): void {
    // Work that ends as soon as it has begun comes here again. The loop that began it goes on; calls within calls would pile up.
    if (this.pumping) return;
    this.pumping = true;
    while (this.hasRoom) {
      if (this.goesOn()) continue;
      const work = this.takeNext();
      if (!work) break;
      this.here -= 1;
      this.begin(work);
    }
    this.pumping = false;
    this.reportIfBlocked();
  }

  /** True if work may skip the line, because nothing waits and a slot is free. */
  private canBeginAtOnce({ match }: Work): boolean {
    if (this.pumping || this.pause.begins !== 'any' || !this.hasRoom || this.hasWaiting) return false;
    if (this.parked.hasReady) return false;
    return !match || this.handlerHasRoom(match.handler);
  }

  /** Calls `onBlocked` if that holds now, as the gate does after each start and end: for a caller that could not act on it then. */
  reportIfBlocked(): void {
    const { awaitsOne, begins } = this.pause;
    if (this.hasRoom && begins !== 'redelivered' && (awaitsOne || this.isBlocked)) this.onBlocked();
  }

  private get isIdle(): boolean {
    return this.active === 0 && this.parked.size === 0;
  }

  private get isBlocked(): boolean {
    if (this.parked.size > 0) return true;
    for (const line of this.waiting) if (line.blocked > 0) return true;
    return false;
  }

  private takeNext(): Work | undefined {
    if (this.waiting.length === 1) return this.canStartIn(0) ? this.lineOf(0).take() : undefined;
    const lanes = [...this.waiting.keys()].filter((lane) => this.canStartIn(lane));
    return lanes.length === 0 ? undefined : this.lineOf(this.order.next(lanes)).take();
  }

  /** True if a lane has work that may start; the line's next `take` returns it. */
  private canStartIn(lane: number): boolean {
    const next = this.lineOf(lane).find(this.handlerHasRoom);
    return next !== undefined && (this.pause.begins !== 'redelivered' || asksFirst(next));
  }

  private readonly handlerHasRoom = (handler: PlannedHandler): boolean =>
    this.rooms.hasRoom(handler, this.slots);

  /** Gives a slot to parked work that waits for nothing else. False if there is none that may go on. */
  private goesOn(): boolean {
    if (!this.parked.hasReady || this.pause.begins !== 'any') return false;
    const work = this.parked.takeReady(this.handlerHasRoom);
    if (work) this.takeSlot(work);
    return work !== undefined;
  }

  private begin(work: Work): void {
    this.takeSlot(work);
    this.begun += 1;
    if (work.match && this.pause.awaitsOne) this.pause.hasBegun(work);
    if (this.arriving === work) this.arriving = undefined;
    if (work.hasWaited) work.inContext(this.start);
    else this.start(work);
  }

  private takeSlot(work: Work): void {
    this.active += 1;
    if (work.match) this.rooms.began(work, work.match);
  }

  private giveSlot(work: Work): void {
    this.active -= 1;
    if (work.match) this.rooms.ended(work, work.match);
  }

  private lineOf(lane: number): WaitingLine {
    return this.waiting[lane] as WaitingLine;
  }
}
