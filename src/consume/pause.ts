import type { PauseReason } from '../events.js';
import type { ConsumerEvents } from './consumer-events.js';
import type { Handler } from './subscription.js';
import type { Work } from './work.js';

/** Why a lane may not be consumed; the other reasons hold what is here already. */
export type LanePause = Extract<PauseReason, 'higher-lane' | 'circuit-open' | 'operator'>;

/**
 * Why nothing is taken, or nothing begins. Beside those that are told of: `suspect` while a message that may have killed its
 * process runs alone, and `stopping`.
 */
export type Reason = PauseReason | 'suspect' | 'stopping';

/** For these a lane is not consumed. For all others, and for an open circuit, too, nothing begins of what is here. */
const FROM_TAKING: readonly LanePause[] = ['operator', 'higher-lane', 'circuit-open'];

/** A lane as far as it obeys. */
export interface PausedLane {
  readonly queue: string;
  /** Takes no more; resolves when nothing more comes. */
  stopTaking(): Promise<void>;
  /** Takes as much as it may now. */
  takeAgain(): void;
}

/** What may begin: anything, nothing, only what was handed out before, or one message of a handler and any of others. */
export type Begins = 'any' | 'none' | 'redelivered' | Handler;

/**
 * Why messages are not taken, or what is here does not begin, of those that share slots: the one place that knows. A lane may be
 * paused for several reasons, and goes on when none is left.
 */
export class Pause {
  private readonly lanesOf = new Map<Reason, Set<number>>();
  private lanes: readonly PausedLane[] = [];
  private onBegins: () => void = () => {};
  /** What may begin by all reasons together. */
  private mayBegin: Begins = 'any';
  /** Deliveries that are held because something can't be stored for them. */
  private held = 0;
  /** A message of it is to be tried though its circuit is open. */
  private trying: Handler | undefined;
  /** It has not begun yet. */
  private isAwaited = false;
  /** The one that has begun, last. */
  private tried: Work | undefined;
  /** Lanes take one for it, since none of it was here. */
  private takesOne = false;

  constructor(private readonly events: ConsumerEvents) {}

  /** @param onBegins told when more may begin */
  governs(lanes: readonly PausedLane[], onBegins: () => void): void {
    this.lanes = lanes;
    this.onBegins = onBegins;
  }

  get begins(): Begins {
    return this.mayBegin;
  }

  /** How much of a lane may be taken: all that it has room for, one message at a time, or none. */
  takes(lane: number): 'all' | 'one' | 'none' {
    const why = this.reasonsOf(lane);
    if (why.length === 0) return 'all';
    return this.takesOne && why.length === 1 && why[0] === 'circuit-open' ? 'one' : 'none';
  }

  /** Why a lane is not consumed; empty if it is. */
  reasonsOf(lane: number): readonly LanePause[] {
    if (this.lanesOf.size === 0) return [];
    return FROM_TAKING.filter((why) => this.lanesOf.get(why)?.has(lane));
  }

  /** Whether any lane is paused for this. */
  has(why: Reason): boolean {
    return this.lanesOf.size > 0 && this.lanesOf.has(why);
  }

  /** Those that are paused for this. */
  lanesFor(why: Reason): readonly number[] {
    return [...(this.lanesOf.get(why) ?? [])];
  }

  /** Resolves when nothing more comes of these lanes, by default of all. What is here can be settled. */
  async add(why: LanePause, lanes: Iterable<number> = this.lanes.keys()): Promise<void> {
    if (why === 'circuit-open') this.endTrial();
    const its = [...lanes];
    const before = this.lanesOf.get(why);
    const isNew = its.map((lane) => before?.has(lane) !== true);
    this.put(why, its);
    const stopping = its.map((lane, place) => {
      if (isNew[place]) this.events.paused(this.queueOf(lane), why);
      return this.lanes[lane]?.stopTaking();
    });
    await Promise.all(stopping);
  }

  remove(why: LanePause, lanes: Iterable<number> = this.lanes.keys()): void {
    if (why === 'circuit-open') this.endTrial();
    const its = [...lanes];
    const before = new Set(this.lanesFor(why));
    this.take(why, its);
    for (const lane of its) {
      if (before.has(lane)) this.events.resumed(this.queueOf(lane), why);
      this.lanes[lane]?.takeAgain();
    }
  }

  /** A delivery is held, since something can't be stored for it: nothing begins until every one is released. */
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

  /** A message that may have killed its process runs alone, or is to. */
  setSuspect(isThere: boolean): void {
    if (isThere) this.put('suspect', this.lanes.keys());
    else this.take('suspect', this.lanes.keys());
  }

  /** Nothing begins any more. */
  stop(): void {
    this.put('stopping', this.lanes.keys());
  }

  /**
   * Lets one message of this handler through its open circuit, which may be one that comes later; until then others begin as
   * they come, or what runs long would keep it out.
   */
  letOne(handler: Handler): void {
    this.trying = handler;
    this.isAwaited = true;
    this.change();
    if (!this.isAwaited || this.takesOne) return;
    this.takesOne = true;
    for (const lane of this.lanes) lane.takeAgain();
  }

  /** One is being tried, or waited for. */
  get isTrying(): boolean {
    return this.trying !== undefined;
  }

  /** The one that is to be tried has not come yet. */
  get awaitsOne(): boolean {
    return this.isAwaited;
  }

  /** It was let through by {@link letOne}, and no other since. */
  isTried(work: Work): boolean {
    return work === this.tried;
  }

  /** Called by whoever lets work begin, with each that does. */
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
    const its = this.lanesOf.get(why);
    for (const lane of lanes) its?.delete(lane);
    if (its?.size === 0) this.lanesOf.delete(why);
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
