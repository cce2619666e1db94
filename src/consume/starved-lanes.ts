import type { Clock, Timer } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import type { Gate, Work } from './concurrency.js';
import type { LaneRunner } from './lane-runner.js';

/**
 * Between two looks. What waits here at two of them has waited 5 to 10 minutes; the broker closes the channel of a
 * message that has been un-acked for 30, and before RabbitMQ 4.3 charges that as a failed delivery.
 */
const LOOK_EVERY_MS = 5 * 60_000;

/**
 * Lets go of what a lower lane was handed ahead and can't start, because higher ones keep all places busy: it goes back
 * to its queue, where another worker may have room for it, and the lane is not consumed until there is room here.
 */
export class StarvedLanes {
  /** What waited first in each lane at the last look. */
  private readonly seen: unknown[] = [];
  private readonly resting = new Set<number>();
  private timer: Timer | undefined;
  private stopped = false;

  constructor(
    private readonly gate: Gate,
    private readonly lanes: readonly LaneRunner[],
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly giveBack: (waiting: readonly Work[]) => void,
  ) {}

  start(): void {
    // A queue without lanes waits for nobody but itself.
    if (this.lanes.length > 1 && !this.stopped) this.lookLater();
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  /** To be called whenever a place may have become free for good. */
  wakeIfRoom(): void {
    if (this.resting.size === 0 || this.stopped || !this.gate.hasRoom) return;
    for (const index of this.resting) this.lanes[index]?.resume('higher-lane');
    this.resting.clear();
  }

  private lookLater(): void {
    this.timer = this.clock.setTimer(() => {
      this.look();
      this.lookLater();
    }, LOOK_EVERY_MS);
  }

  private look(): void {
    for (const [index, lane] of this.lanes.entries()) {
      const first = this.gate.firstWaitingIn(index);
      if (first !== undefined && first === this.seen[index]) void this.rest(index, lane);
      this.seen[index] = first;
    }
  }

  private async rest(index: number, lane: LaneRunner): Promise<void> {
    this.resting.add(index);
    this.log.info(
      { queue: lane.queue },
      'a lane gets no turn: what waits for it here goes back to its queue',
    );
    await lane.pause('higher-lane');
    // Only now: given back while the lane is consumed, they would come again at once.
    this.giveBack(this.gate.takeWaiting(index));
    this.wakeIfRoom();
  }
}
