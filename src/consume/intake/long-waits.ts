import type { Work } from '../../pipeline/work.js';
import type { Clock, Timer } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import type { Gate } from './concurrency.js';
import type { LaneRunner } from './lane-runner.js';
import type { Pause } from './pause.js';

/** Between two looks. What waits here at two of them has waited 5 to 10 minutes. */
const LOOK_EVERY_MS = 5 * 60_000;

/** The longest that anything waits here. */
export const LONGEST_WAIT_MS = 2 * LOOK_EVERY_MS;

/** One lane, and how wide its window is while handlers are quick. */
export interface WaitingLane {
  readonly lane: LaneRunner;
  /** It starts only while no other one waits. */
  readonly mayStarve: boolean;
  prefetch(): number;
}

export interface LongWaitsOptions {
  readonly gate: Gate;
  readonly pause: Pause;
  readonly lanes: readonly WaitingLane[];
  readonly clock: Clock;
  readonly log: Logger;
  /** How many messages may run at once. */
  places(): number;
  giveBack(waiting: readonly Work[]): void;
}

/**
 * Lets go of what was fetched and has not started for long, for whatever reason: the broker counts the time from the
 * delivery on, and closes the channel of a message that has been un-acked for 30 minutes; and another worker may have room
 * for it. Then no more is fetched than starts in time: a lane that gets no turn since higher ones keep all places busy is
 * not consumed until there is room here; the window of any other follows the number that has started between two looks.
 */
export class LongWaits {
  /** What waited at the last look. */
  private seen: ReadonlySet<Work> = new Set();
  /** How much had started by then. */
  private startedBefore = 0;
  private readonly narrowed = new Set<number>();
  private timer: Timer | undefined;
  private stopped = false;

  constructor(private readonly options: LongWaitsOptions) {}

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  /** To be called whenever something may have begun to wait. */
  watch(): void {
    if (this.timer !== undefined || this.stopped || !this.options.gate.hasWaiting) return;
    this.startedBefore = this.options.gate.startedSoFar;
    this.lookLater();
  }

  /** To be called whenever a place may have become free for good. */
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
      // What is held for a publish that can't be made could not go back either.
      if (pause.has('unpublishable')) continue;
      if (overdue.length > 0) void this.letGo(index, lane, overdue, started);
      else if (this.narrowed.has(index)) this.widen(index, lane, started);
    }
    this.seen = waiting;
    if (waiting.size > 0 || this.narrowed.size > 0) this.lookLater();
  }

  private async letGo(
    index: number,
    lane: LaneRunner,
    overdue: readonly Work[],
    started: number,
  ): Promise<void> {
    const { gate, lanes, log, pause, giveBack } = this.options;
    log.info(
      { queue: lane.queue, messages: overdue.length },
      'messages have waited here for more than 5 minutes and not started: they go back to their queue',
    );
    const isStarved =
      lanes[index]?.mayStarve === true && !gate.hasRoom && pause.reasonsOf(index).length === 0;
    if (isStarved) await pause.add('higher-lane', [index]);
    else if (!gate.hasRoom) await this.narrow(index, lane, started);
    // Only now: given back while as much is fetched as before, they would come again at once.
    const still = new Set(overdue);
    giveBack(gate.takeWaiting(index, isStarved ? undefined : (work) => still.has(work)));
    this.wakeIfRoom();
  }

  private narrow(index: number, lane: LaneRunner, started: number): Promise<void> {
    const { lanes, places } = this.options;
    this.narrowed.add(index);
    return lane.resizePrefetch(Math.min(lanes[index]?.prefetch() ?? 1, places() + started));
  }

  /** As wide as before once all that is fetched ahead by that would start between two looks, or if nothing is here. */
  private widen(index: number, lane: LaneRunner, started: number): void {
    const { gate, lanes, places } = this.options;
    const prefetch = lanes[index]?.prefetch() ?? 1;
    if (gate.running > 0 && started < prefetch - places()) return;
    this.narrowed.delete(index);
    void lane.resizePrefetch(prefetch);
  }
}
