import type { Connection } from '../connection/connection.js';
import type { PendingPublish } from './pending-publish.js';
import { PublishLane, type PublishLaneListener } from './publish-lane.js';

/**
 * RabbitMQ 3.10 nacks without end on a channel whose first publish to a queue came at a moment without a
 * leader. A new channel may be opened in that moment, too, so it is not necessarily the last one.
 */
const NACKS_BEFORE_NEW_LANE = 3;
const NEW_LANE_AT_MOST_EVERY_MS = 250;

/** The lane that publishes are written on now; a lane that only nacks is replaced. */
export class CurrentLane {
  private lane: PublishLane;
  private since = performance.now();

  constructor(
    private readonly connection: Connection,
    private readonly listener: PublishLaneListener,
  ) {
    this.lane = new PublishLane(connection, listener);
  }

  start(): Promise<void> {
    return this.lane.start();
  }

  get writable(): boolean {
    return this.lane.writable;
  }

  get unanswered(): PendingPublish | undefined {
    return this.lane.unanswered;
  }

  forgetEnded(): void {
    this.lane.forgetEnded();
  }

  /** @throws if the channel is closed, or the message can't be encoded; it is not written then */
  write(pending: PendingPublish): void {
    this.lane.write(pending);
  }

  /** Called for a publish that this lane has nacked. */
  nacked({ nacks }: PendingPublish, by: PublishLane): void {
    if (nacks >= NACKS_BEFORE_NEW_LANE && by === this.lane) void this.renew();
  }

  close(): Promise<void> {
    return this.lane.close();
  }

  /** Publishes that wait for confirms on the old lane get them there. */
  private async renew(): Promise<void> {
    const now = performance.now();
    if (now - this.since < NEW_LANE_AT_MOST_EVERY_MS) return;
    this.since = now;
    const old = this.lane;
    const fresh = new PublishLane(this.connection, this.listener);
    try {
      await fresh.start();
    } catch {
      return;
    }
    this.lane = fresh;
    old.retire();
    this.listener.ready();
  }
}
