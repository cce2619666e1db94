import type { Work } from '../../pipeline/work.js';
import type { Clock, Timer } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { LONGEST_WAIT_MS } from '../handlers/limits.js';
import type { Gate } from './gate.js';
import type { LaneConsumer } from './lane-consumer.js';
import type { Pause } from './pause.js';

/** Time between two looks. Work that waits at two of them has waited 5 to 10 minutes. */
const LOOK_EVERY_MS = LONGEST_WAIT_MS / 2;

/** A lane, and the width of its window while handlers are quick. */
export interface WaitingLane {
  readonly lane: LaneConsumer;
  /** True if the lane's work starts only while no higher lane's waits. */
  readonly mayStarve: boolean;
  prefetch(): number;
}

export interface LongWaitsOptions {
  readonly gate: Gate;
  readonly pause: Pause;
  readonly lanes: readonly WaitingLane[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Number of slots. */
  slots(): number;
  returnUnstarted(waiting: readonly Work[]): void;
}

/**
 * Returns work that was fetched and has not started for long, for whatever reason: the broker counts the time from the
 * delivery, and closes the channel of a message that has been un-acked for 30 minutes; and another worker may have room
 * for it. Then no more is fetched than starts in time: a lane that gets no turn because higher lanes keep all slots busy
 * is not consumed until a slot is free; the window of any other lane follows the number of starts between two looks.
 */
export class LongWaits {
  /** Work that waited at the last look. */
  private seen: ReadonlySet<Work> = new Set();
  /** Number of starts until then. */
  private startedBefore = 0;
  private readonly narrowed = new Set<number>();
  private timer: Timer | undefined;
  private stopped = false;

  constructor(private readonly options: LongWaitsOptions) {}

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  /** Must be called whenever work may have begun to wait. */
  watch(): void {
    if (this.timer !== undefined || this.stopped || !this.options.gate.hasWaiting) return;
    this.startedBefore = this.options.gate.startedSoFar;
    this.lookLater();
  }

  /** Must be called whenever a slot may have become free for good. */
  wakeIfRoom(): void {
    const { gate, pause } = this.options;
    if (!pause.has('higher-lane') || this.stopped || !gate.hasRoom) return;
    pause.remove('higher-lane', pause.lanesFor('higher-lane'));
  }

  private lookLater(): void {
    this.timer = this.options.clock.setTimer(() => {
      this.timer = undefined;
      this.look();
    }, LOOK_EVERY_MS);
  }

  private look(): void {
    const { gate, lanes, pause } = this.options;
    const started = gate.startedSoFar - this.startedBefore;
    this.startedBefore = gate.startedSoFar;
    const waiting = new Set<Work>();
    for (const [index, { lane }] of lanes.entries()) {
      const here = gate.waitingIn(index);
      const overdue = here.filter((work) => this.seen.has(work));
      for (const work of here) waiting.add(work);
      // While a publish fails, work could not go back either.
      if (pause.has('unpublishable')) continue;
      if (overdue.length > 0) void this.letGo(index, lane, overdue, started);
      else if (this.narrowed.has(index)) this.widen(index, lane, started);
    }
    this.seen = waiting;
    if (waiting.size > 0 || this.narrowed.size > 0) this.lookLater();
  }

  private async letGo(
    index: number,
    lane: LaneConsumer,
    overdue: readonly Work[],
    started: number,
  ): Promise<void> {
    const { gate, lanes, log, pause, returnUnstarted } = this.options;
    log.info(
      { queue: lane.queue, messages: overdue.length },
      'messages have waited here for more than 5 minutes and not started: they go back to their queue',
    );
    const isStarved =
      lanes[index]?.mayStarve === true && !gate.hasRoom && pause.reasonsOf(index).length === 0;
    if (isStarved) await pause.add('higher-lane', [index]);
    else if (!gate.hasRoom) await this.narrow(index, lane, started);
    // Not earlier: returned while as much is fetched as before, they would come again at once.
    const still = new Set(overdue);
    returnUnstarted(gate.takeWaiting(index, isStarved ? undefined : (work) => still.has(work)));
    this.wakeIfRoom();
  }

  private narrow(index: number, lane: LaneConsumer, started: number): Promise<void> {
    const { lanes, slots } = this.options;
    this.narrowed.add(index);
    return lane.resizePrefetch(Math.min(lanes[index]?.prefetch() ?? 1, slots() + started));
  }

  /** Restores the window once all that it fetches ahead would start between two looks, or if nothing runs. */
  private widen(index: number, lane: LaneConsumer, started: number): void {
    const { gate, lanes, slots } = this.options;
    const prefetch = lanes[index]?.prefetch() ?? 1;
    if (gate.running > 0 && started < prefetch - slots()) return;
    this.narrowed.delete(index);
    void lane.resizePrefetch(prefetch);
  }
}
