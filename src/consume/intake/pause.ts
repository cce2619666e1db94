import type { PauseReason } from '../../events.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import type { Work } from '../../pipeline/work.js';
import type { ConsumerEvents } from '../report/consumer-events.js';
import type { LanePause } from '../report/status.js';

/**
 * Reason for which nothing is taken, or nothing begins. Two have no event: `suspect`, while a message that may have killed its
 * process runs alone, and `stopping`.
 */
export type Reason = PauseReason | 'suspect' | 'stopping';

/** Reasons for which a lane is not consumed. For all others, and for an open circuit, too, no fetched message begins. */
const FROM_TAKING: readonly LanePause[] = ['operator', 'migration', 'higher-lane', 'circuit-open'];

/** The part of a lane that pauses act on. */
export interface PausedLane {
  readonly queue: string;
  /** Takes no more; resolves when nothing more comes. */
  stopTaking(): Promise<void>;
  /** Takes as much as it may now. */
  takeAgain(): void;
}

/** Messages that may begin: any, none, only redelivered ones, or one of this handler and any of the others. */
export type Begins = 'any' | 'none' | 'redelivered' | PlannedHandler;

/**
 * Pauses of the lanes that share slots: the one place that knows why messages are not taken, or don't begin. A lane may be paused
 * for several reasons, and goes on when none is left. A reason that a lane has already emits no second event.
 */
export class Pause {
  private readonly lanesOf = new Map<Reason, Set<number>>();
  private lanes: readonly PausedLane[] = [];
  private onBegins: () => void = () => {};
  /** Messages that may begin with all reasons together. */
  private mayBegin: Begins = 'any';
  /** Number of deliveries that are held because an effect can't be stored. */
  private held = 0;
  /** Handler whose circuit is open, and of which one message is tried. */
  private trying: PlannedHandler | undefined;
  /** True until that message begins. */
  private isAwaited = false;
  /** Message that was let through last. */
  private tried: Work | undefined;
  /** True while lanes take one message at a time, because no message of that handler was here. */
  private takesOne = false;

  constructor(private readonly events: ConsumerEvents) {}

  /** @param onBegins called when more may begin than before */
  governs(lanes: readonly PausedLane[], onBegins: () => void): void {
    this.lanes = lanes;
    this.onBegins = onBegins;
  }

  get begins(): Begins {
    return this.mayBegin;
  }

  /** Amount that a lane may take: all that it has room for, one message at a time, or none. */
  takes(lane: number): 'all' | 'one' | 'none' {
    const why = this.reasonsOf(lane);
    if (why.length === 0) return 'all';
    return this.takesOne && why.length === 1 && why[0] === 'circuit-open' ? 'one' : 'none';
  }

  /** Reasons for which a lane is not consumed; empty if it is. */
  reasonsOf(lane: number): readonly LanePause[] {
    if (this.lanesOf.size === 0) return [];
    return FROM_TAKING.filter((why) => this.lanesOf.get(why)?.has(lane));
  }

  /** True if any lane is paused for this reason. */
  has(why: Reason): boolean {
    return this.lanesOf.size > 0 && this.lanesOf.has(why);
  }

  /** Lanes that are paused for this reason. */
  lanesFor(why: Reason): readonly number[] {
    return [...(this.lanesOf.get(why) ?? [])];
  }

  /** Pauses these lanes, by default all. Resolves when they deliver nothing more; messages that are here can be settled. */
  async add(why: LanePause, lanes: Iterable<number> = this.lanes.keys()): Promise<void> {
    if (why === 'circuit-open') this.endTrial();
    const affected = [...lanes];
    const before = this.lanesOf.get(why);
    const isNew = affected.map((lane) => before?.has(lane) !== true);
    this.put(why, affected);
    const stopping = affected.map((lane, index) => {
      if (isNew[index]) this.events.paused(this.queueOf(lane), why);
      return this.lanes[lane]?.stopTaking();
    });
    await Promise.all(stopping);
  }

  /** Ends this reason for these lanes, by default all. */
  remove(why: LanePause, lanes: Iterable<number> = this.lanes.keys()): void {
    if (why === 'circuit-open') this.endTrial();
    const affected = [...lanes];
    const before = new Set(this.lanesFor(why));
    this.take(why, affected);
    for (const lane of affected) {
      if (before.has(lane)) this.events.resumed(this.queueOf(lane), why);
      this.lanes[lane]?.takeAgain();
    }
  }

  /** Makes a lane one that is paused for this reason, or one that is not. */
  set(why: 'operator' | 'migration', lane: number, isPaused: boolean): void {
    if (isPaused === this.reasonsOf(lane).includes(why)) return;
    if (isPaused) void this.add(why, [lane]);
    else this.remove(why, [lane]);
  }

  /** Called when a delivery is held because an effect can't be stored: nothing begins until every one is released. */
  hold(error: unknown): void {
    this.held += 1;
    if (this.held > 1) return;
    this.put('unpublishable', this.lanes.keys());
    for (const { queue } of this.lanes) this.events.paused(queue, 'unpublishable', error);
  }

  release(): void {
    this.held -= 1;
    if (this.held > 0) return;
    this.take('unpublishable', this.lanes.keys());
    for (const { queue } of this.lanes) this.events.resumed(queue, 'unpublishable');
  }

  /** @param isThere true while a message that may have killed its process runs alone, or waits to */
  setSuspect(isThere: boolean): void {
    if (isThere) this.put('suspect', this.lanes.keys());
    else this.take('suspect', this.lanes.keys());
  }

  /** Nothing begins any more. */
  stop(): void {
    this.put('stopping', this.lanes.keys());
  }

  /**
   * Lets one message of this handler through its open circuit, perhaps one that comes later. Until then messages of
   * other handlers begin as they come; else a slot that is long busy would keep it out.
   */
  letOne(handler: PlannedHandler): void {
    this.trying = handler;
    this.isAwaited = true;
    this.change();
    if (!this.isAwaited || this.takesOne) return;
    this.takesOne = true;
    for (const lane of this.lanes) lane.takeAgain();
  }

  /** True while a message is tried, or waited for. */
  get isTrying(): boolean {
    return this.trying !== undefined;
  }

  /** True while the message that is to be tried has not begun. */
  get awaitsOne(): boolean {
    return this.isAwaited;
  }

  /** True if this is the message that {@link letOne} let through last. */
  isTried(work: Work): boolean {
    return work === this.tried;
  }

  /** Called by the gate for each work that begins. */
  hasBegun(work: Work): void {
    if (!this.isAwaited || work.match?.handler !== this.trying) return;
    this.isAwaited = false;
    this.tried = work;
    this.mayBegin = this.judged();
  }

  private endTrial(): void {
    this.trying = undefined;
    this.isAwaited = false;
    this.takesOne = false;
  }

  private put(why: Reason, lanes: Iterable<number>): void {
    this.lanesOf.set(why, new Set([...(this.lanesOf.get(why) ?? []), ...lanes]));
    this.mayBegin = this.judged();
  }

  private take(why: Reason, lanes: Iterable<number>): void {
    const paused = this.lanesOf.get(why);
    for (const lane of lanes) paused?.delete(lane);
    if (paused?.size === 0) this.lanesOf.delete(why);
    this.change();
  }

  private change(): void {
    const before = this.mayBegin;
    this.mayBegin = this.judged();
    if (this.mayBegin !== before) this.onBegins();
  }

  private judged(): Begins {
    if (this.has('stopping') || this.has('unpublishable')) return 'none';
    if (this.has('circuit-open') && !this.isAwaited) return 'none';
    if (this.has('suspect')) return 'redelivered';
    return (this.isAwaited && this.trying) || 'any';
  }

  private queueOf(lane: number): string {
    return this.lanes[lane]?.queue ?? '';
  }
}
