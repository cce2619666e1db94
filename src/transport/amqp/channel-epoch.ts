import type { Channel, Message } from 'amqplib';

/**
 * One opening of a consumer's channel, and the settling of what came over it: delivery tags mean something here only.
 *
 * Acks are gathered, since each one that the broker reads costs it as much as half a delivery. What is settled without
 * a gap from the channel's first delivery on goes out as one ack for all; what lies behind a message that still runs
 * goes out one by one. Nothing waits longer than to the end of this turn of the event loop, or until half of the window
 * is gathered: if the process dies before that, those messages are delivered again.
 *
 * The broker numbers a channel's deliveries upwards, and closes a channel that settles a tag twice
 * (https://www.rabbitmq.com/docs/confirms#consumer-acks-double-acking).
 */
export class ChannelEpoch {
  /** The channel is gone: nothing that it delivered can be settled any more. */
  private isLost = false;
  /** Delivered and not settled on the wire, in the order of delivery: no more than the window. */
  private readonly unsettled = new Set<number>();
  /** Acked here, not on the wire yet. */
  private gathered: number[] = [];
  private flushing: NodeJS.Immediate | undefined;
  private flushAt = 1;

  constructor(readonly channel: Channel) {}

  get lost(): boolean {
    return this.isLost;
  }

  /** Nothing of what it has delivered is unsettled. */
  get isSettled(): boolean {
    return this.unsettled.size === 0;
  }

  /** @param prefetch how many deliveries may be unsettled at once */
  set window(prefetch: number) {
    this.flushAt = Math.max(1, Math.floor(prefetch / 2));
  }

  /** Called for each delivery, in their order. */
  delivered(tag: number): void {
    this.unsettled.add(tag);
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
    this.unsettled.delete(tag);
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
    const inPrefix = this.prefixOf(tags);
    if (inPrefix > 0) this.write(() => this.channel.ack(named(tags[inPrefix - 1] as number), inPrefix > 1));
    for (const tag of tags.slice(inPrefix)) this.write(() => this.channel.ack(named(tag), false));
    for (const tag of tags) this.unsettled.delete(tag);
  }

  lose(): void {
    this.isLost = true;
    clearImmediate(this.flushing);
    this.flushing = undefined;
    this.gathered = [];
  }

  /** How many of these, from the first on, have nothing before them that still runs. */
  private prefixOf(tags: readonly number[]): number {
    let count = 0;
    for (const tag of this.unsettled) {
      if (tag !== tags[count]) break;
      count += 1;
    }
    return count;
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
