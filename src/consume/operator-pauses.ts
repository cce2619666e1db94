import type { Gate, Work } from './concurrency.js';
import type { LaneRunner } from './lane-runner.js';

/**
 * Keeps lanes from being consumed that an operator has paused: what runs goes on to its end, nothing more begins, and what
 * waits here goes back to its queue.
 */
export class OperatorPauses {
  private readonly paused = new Set<number>();

  constructor(
    private readonly gate: Gate,
    private readonly lanes: readonly LaneRunner[],
    private readonly giveBack: (waiting: readonly Work[]) => void,
  ) {}

  /** Pauses those lanes that `isPaused` names by their queues, and lets the others go on. */
  apply(isPaused: (queue: string) => boolean): void {
    for (const [index, lane] of this.lanes.entries()) {
      const wanted = isPaused(lane.queue);
      if (wanted === this.paused.has(index)) continue;
      if (wanted) void this.pause(index, lane);
      else this.resume(index, lane);
    }
  }

  private async pause(index: number, lane: LaneRunner): Promise<void> {
    this.paused.add(index);
    this.gate.shutLane(index);
    await lane.pause('operator');
    // Only now: given back while the lane is consumed, they would come again at once.
    if (this.paused.has(index)) this.giveBack(this.gate.takeWaiting(index));
  }

  private resume(index: number, lane: LaneRunner): void {
    this.paused.delete(index);
    this.gate.openLane(index);
    lane.resume('operator');
  }
}
