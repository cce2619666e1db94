import { AsyncResource } from 'node:async_hooks';
import { Line } from '../util/line.js';
import { type LaneOrder, strictOrder } from './lane-order.js';
import type { Outcome } from './outcome.js';
import type { Received } from './received.js';
import type { Match } from './registry.js';
import type { Handler } from './subscription.js';

/** A delivery and the handler that is to have it. */
export interface Work {
  readonly received: Received;
  readonly match: Match | undefined;
  /** Which lane it came through, by its place in the list of those that share the places; 0 where there is only one. */
  readonly lane: number;
  /** What becomes of it was clear before it could run. */
  readonly decided?: Outcome | undefined;
  /** The async context in which it was delivered, if it can't start in there at once. */
  context?: AsyncResource;
}

/** Does something for a message that has waited, in the async context in which it was delivered. */
export function inContextOf<T>(work: Work, run: (work: Work) => T): T {
  return work.context ? work.context.runInAsyncScope(run, undefined, work) : run(work);
}

/** Of what has been delivered before, a crash watch is asked before it runs. What is decided doesn't run. */
export const asksFirst = ({ received, decided }: Work): boolean =>
  received.delivery.redelivered && decided === undefined;

/**
 * Lets work of one queue, all its lanes together, or of several queues, start while there is room: among their places,
 * and in its handler. Which lane goes first is its order's business; within a lane it is first come, first served, but for
 * work whose handler is full: that waits without holding a place. What waits is bounded by the prefetch.
 */
export class Gate {
  /** One line for each lane. */
  private readonly waiting: readonly Line<Work>[];
  /** Of the handlers that have a limit of their own. */
  private readonly activeOf = new Map<Handler, number>();
  private active = 0;
  private holds = 0;
  /** What may start, whatever else says: anything, one more, nothing. */
  private may: 'start' | 'start one' | 'not start' = 'start';
  private pumping = false;
  private isStill = false;
  /** Being pushed: what is active now is its own context. */
  private arriving: Work | undefined;
  /** Lanes of which nothing starts. */
  private readonly shutLanes = new Set<number>();
  private readonly onIdle: (() => void)[] = [];

  /** @param start begins the work; must call {@link done} when it has ended, which may be at once; may not throw */
  constructor(
    private limit: number,
    private readonly start: (work: Work) => void,
    lanes = 1,
    private readonly order: LaneOrder = strictOrder,
  ) {
    this.waiting = Array.from({ length: lanes }, () => new Line<Work>());
  }

  push(work: Work): void {
    const { arriving } = this;
    this.arriving = work;
    this.lineOf(work.lane).push(work);
    this.pump();
    // Whatever makes room for it later has another one.
    if (this.arriving === work) work.context = new AsyncResource('HOPLINE_DELIVERY');
    this.arriving = arriving;
  }

  done({ match }: Work): void {
    this.active -= 1;
    if (match) this.count(match.handler, -1);
    this.pump();
    if (this.active === 0) for (const tell of this.onIdle.splice(0)) tell();
  }

  /** Starts nothing more until every hold is released. */
  hold(): void {
    this.holds += 1;
  }

  release(): void {
    this.holds -= 1;
    this.pump();
  }

  get isHeld(): boolean {
    return this.holds > 0;
  }

  /** Starts nothing more until it is opened. */
  shut(): void {
    this.may = 'not start';
  }

  /** Starts one, which may be one that comes later, and is shut again. */
  letOne(): void {
    this.may = 'start one';
    this.pump();
  }

  open(): void {
    this.may = 'start';
    this.pump();
  }

  /** While it is still, starts nothing but the first of a lane, and that only if it was delivered before: it asks first. */
  setStill(isStill: boolean): void {
    this.isStill = isStill;
    this.pump();
  }

  /** Starts nothing more of one lane until that is opened. */
  shutLane(lane: number): void {
    this.shutLanes.add(lane);
  }

  openLane(lane: number): void {
    this.shutLanes.delete(lane);
    this.pump();
  }

  /** Changes the number of places. What has started goes on. */
  resize(limit: number): void {
    this.limit = limit;
    this.pump();
  }

  /** Takes out what has not started: of one lane, or of all. */
  takeWaiting(lane?: number): Work[] {
    const lines = lane === undefined ? this.waiting : [this.lineOf(lane)];
    return lines.flatMap((line) => line.takeAll());
  }

  firstWaitingIn(lane: number): Work | undefined {
    return this.lineOf(lane).first;
  }

  /** Something more could start, and nothing that is here can. */
  get hasRoom(): boolean {
    return this.active < this.limit && !this.isHeld && this.may !== 'not start';
  }

  /** How much of it has started and not ended. */
  get running(): number {
    return this.active;
  }

  /** How much of it is here and has not started. */
  get waitingCount(): number {
    return this.waiting.reduce((sum, line) => sum + line.size, 0);
  }

  /** Forgets what waits for a channel that is gone: the broker delivers it again. */
  dropLost(): void {
    for (const line of this.waiting) line.takeAll(({ received }) => received.delivery.lost);
  }

  /** Resolves when nothing is running. */
  idle(): Promise<void> {
    if (this.active === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.onIdle.push(resolve);
    });
  }

  private pump(): void {
    // What ends as soon as it has begun comes here again: the loop that began it goes on, or they would pile up.
    if (this.pumping) return;
    this.pumping = true;
    while (this.hasRoom) {
      const work = this.takeNext();
      if (!work) break;
      this.begin(work);
    }
    this.pumping = false;
  }

  private takeNext(): Work | undefined {
    if (this.waiting.length === 1) return this.take(0, this.startableIn(0));
    const places = this.waiting.map((_line, lane) => this.startableIn(lane));
    const lanes = [...places.keys()].filter((lane) => places[lane] !== -1);
    if (lanes.length === 0) return undefined;
    const lane = this.order.next(lanes);
    return this.take(lane, places[lane] as number);
  }

  /** Place of the first in a lane whose handler has room; -1 if there is none. */
  private startableIn(lane: number): number {
    const line = this.lineOf(lane);
    const { first } = line;
    if (first === undefined || this.shutLanes.has(lane)) return -1;
    if (this.isStill && !(asksFirst(first) && this.handlerHasRoom(first))) return -1;
    return this.handlerHasRoom(first) ? 0 : line.findIndex((work) => this.handlerHasRoom(work));
  }

  private take(lane: number, place: number): Work | undefined {
    return place === -1 ? undefined : this.lineOf(lane).take(place);
  }

  private handlerHasRoom({ match }: Work): boolean {
    if (!match || match.handler.concurrency >= this.limit) return true;
    return (this.activeOf.get(match.handler) ?? 0) < match.handler.concurrency;
  }

  private begin(work: Work): void {
    this.active += 1;
    if (this.may === 'start one') this.may = 'not start';
    if (work.match) this.count(work.match.handler, 1);
    if (this.arriving === work) this.arriving = undefined;
    inContextOf(work, this.start);
  }

  private count(handler: Handler, change: 1 | -1): void {
    if (handler.concurrency !== Number.POSITIVE_INFINITY)
      this.activeOf.set(handler, (this.activeOf.get(handler) ?? 0) + change);
  }

  private lineOf(lane: number): Line<Work> {
    return this.waiting[lane] as Line<Work>;
  }
}
