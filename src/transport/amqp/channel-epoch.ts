import type { Channel, Message } from 'amqplib';

/**
 * One opening of a consumer's channel, and the settling of what came over it: delivery tags mean something here only.
 *
 * Acks are gathered, since each one that the broker reads costs it as much as half a delivery. What is settled without
 * a gap from the channel's first delivery on goes out as one ack for all; what lies behind a message that still runs
 * goes out one by one. Nothing waits longer than to the end of this turn of the event loop, or until half of the window
 * is gathered: if the process dies before that, those messages are delivered again.
 *
 * The broker numbers a channel's deliveries from 1 without a gap, and closes a channel that settles a tag twice
 * (https://www.rabbitmq.com/docs/confirms#consumer-acks-double-acking).
 */
export class ChannelEpoch {
  /** The channel is gone: nothing that it delivered can be settled any more. */
  private isLost = false;
  /** The lowest tag that is not settled on the wire. */
  private lowest = 1;
  /** Tags above it that are. */
  private readonly ahead = new Set<number>();
  /** Acked here, not on the wire yet. */
  private gathered: number[] = [];
  private flushing: NodeJS.Immediate | undefined;
  private flushAt = 1;

  constructor(readonly channel: Channel) {}

  get lost(): boolean {
    return this.isLost;
  }

  /** @param prefetch how many deliveries may be unsettled at once */
  set window(prefetch: number) {
    this.flushAt = Math.max(1, Math.floor(prefetch / 2));
  }

  /** Gathers an ack. False if the channel is gone. */
  ack(tag: number): boolean {
    if (this.isLost) return false;
    this.gathered.push(tag);
    if (this.gathered.length >= this.flushAt) this.flush();
    else this.flushing ??= setImmediate(() => this.flush());
    return true;
  }

  /** Gives a message back, at once. False if the channel is gone. */
  requeue(tag: number): boolean {
    if (this.isLost) return false;
    // nack, not reject: from RabbitMQ 4.3 on only reject counts towards the delivery limit, and nothing has failed here.
    if (!this.write(() => this.channel.nack(named(tag), false, true))) return false;
    this.ahead.add(tag);
    return true;
  }

  /** Sends what is gathered. */
  flush(): void {
    clearImmediate(this.flushing);
    this.flushing = undefined;
    const tags = this.gathered;
    if (tags.length === 0) return;
    this.gathered = [];
    tags.sort((left, right) => left - right);
    const beyond = this.writePrefix(tags);
    for (const tag of tags.slice(beyond)) {
      this.write(() => this.channel.ack(named(tag), false));
      this.ahead.add(tag);
    }
  }

  lose(): void {
    this.isLost = true;
    clearImmediate(this.flushing);
    this.flushing = undefined;
    this.gathered = [];
  }

  /** One ack for those that continue what is settled already; gives the place of the first that does not. */
  private writePrefix(tags: readonly number[]): number {
    let place = 0;
    this.skipSettled();
    while (place < tags.length && tags[place] === this.lowest) {
      this.lowest += 1;
      place += 1;
      this.skipSettled();
    }
    // The tag that is named must be unsettled for the broker, so it is one of these, never one that is skipped.
    if (place > 0) this.write(() => this.channel.ack(named(tags[place - 1] as number), place > 1));
    return place;
  }

  private skipSettled(): void {
    while (this.ahead.delete(this.lowest)) this.lowest += 1;
  }

  /** False if the channel is closing; its loss is told in a moment, and the broker delivers again. */
  private write(settle: () => void): boolean {
    try {
      settle();
      return true;
    } catch {
      return false;
    }
  }
}

/** The client library reads nothing but the tag of a message that it settles. */
function named(deliveryTag: number): Message {
  return { fields: { deliveryTag } } as Message;
}
