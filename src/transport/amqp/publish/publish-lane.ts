import type { ConfirmChannel } from 'amqplib';
import { openConfirmChannel, SupervisedChannel } from '../connection/channel.js';
import type { Connection } from '../connection/connection.js';
import { Confirms } from './confirms.js';
import type { PendingPublish, Verdict } from './pending-publish.js';

export interface PublishLaneListener {
  /** Called when there is room to write. */
  ready(): void;
  verdict(pending: PendingPublish, verdict: Verdict, lane: PublishLane): void;
  /** Called when the channel is gone, and the result of these publishes is unknown. */
  lost(unconfirmed: readonly PendingPublish[], error: Error): void;
  reopened(error: Error): void;
}

/**
 * A confirm channel that is kept open. After `retire` it takes nothing more, and closes when its confirms have
 * arrived.
 */
export class PublishLane {
  private readonly channel: SupervisedChannel<ConfirmChannel>;
  private confirms: Confirms | undefined;
  private congested = false;
  private retired = false;

  constructor(
    connection: Connection,
    private readonly listener: PublishLaneListener,
  ) {
    this.channel = new SupervisedChannel<ConfirmChannel>(connection, {
      open: openConfirmChannel,
      setUp: (channel) => this.setUp(channel),
      lost: (_channel, error) => this.lost(error),
      reopened: (error) => this.listener.reopened(error),
      failed: () => {},
      // The publish for which the broker closes the channel is found, and fails alone: the others need not
      // wait.
      stableAfterMs: 0,
    });
  }

  start(): Promise<void> {
    return this.channel.start();
  }

  get writable(): boolean {
    return this.confirms !== undefined && !this.congested && !this.retired;
  }

  /** Oldest publish without an answer. */
  get unanswered(): PendingPublish | undefined {
    return this.confirms?.unconfirmed.values().next().value;
  }

  /** Stops waiting for answers to publishes that have ended by their deadline. */
  forgetEnded(): void {
    const { confirms } = this;
    for (const pending of confirms?.unconfirmed ?? [])
      if (pending.ended) confirms?.unconfirmed.delete(pending);
  }

  /** @throws if the channel is closed, or the message can't be encoded; it is not written then */
  write(pending: PendingPublish): void {
    this.congested = !this.confirms?.write(pending);
  }

  retire(): void {
    this.retired = true;
    this.closeIfDone();
  }

  close(): Promise<void> {
    return this.channel.close();
  }

  private async setUp(channel: ConfirmChannel): Promise<void> {
    this.congested = false;
    this.confirms = new Confirms(channel, (pending, verdict) => {
      this.listener.verdict(pending, verdict, this);
      this.closeIfDone();
    });
    channel.on('drain', () => {
      this.congested = false;
      this.listener.ready();
    });
    this.listener.ready();
  }

  private lost(error: Error): void {
    const unconfirmed = [...(this.confirms?.unconfirmed ?? [])];
    this.confirms = undefined;
    this.listener.lost(unconfirmed, error);
    this.closeIfDone();
  }

  private closeIfDone(): void {
    if (this.retired && !this.confirms?.unconfirmed.size) void this.channel.close();
  }
}
