import type { Channel, ConsumeMessage } from 'amqplib';
import { UnsettledTags } from './unsettled-tags.js';

/** Time for which acks wait for earlier deliveries on a channel that is to be closed. */
const LAST_GATHERING_MS = 250;

/**
 * One opening of a consumer's channel, and the settling of its deliveries: delivery tags are valid for this
 * opening only.
 *
 * Acks are gathered, since reading one costs the broker as much as half a delivery. Deliveries that are settled
 * without a gap from the channel's first one on are acked by one ack for all; those behind a running message
 * are acked one by one. No ack waits longer than to the end of this turn of the event loop, or until half of
 * the window is gathered. If the process dies before that, those messages are delivered again.
 *
 * On a channel that is to be closed the acks wait a little, to be sent as one. A quorum queue forgets commands
 * that a channel sends in large number right before it is closed, and delivers those messages again
 * (rabbitmq-server#10327; it keeps some thirty under way, and the ones behind them go with the channel).
 *
 * Deliveries are settled with the message object that the library made, though only its tag is sent: tracers
 * that patch the library find the span to end by this object, and keep the message until then.
 *
 * The broker numbers a channel's deliveries upwards, and closes a channel that settles a tag twice
 * (https://www.rabbitmq.com/docs/confirms#consumer-acks-double-acking).
 */
export class ChannelEpoch {
  /** The channel is gone: nothing that it delivered can be settled any more. */
  private isLost = false;
  /** Deliveries that are not settled on the wire; at most the window. */
  private readonly unsettled = new UnsettledTags();
  /** Acked here, but not on the wire yet. */
  private gathered: ConsumeMessage[] = [];
  private flushing: NodeJS.Immediate | undefined;
  private lastFlush: NodeJS.Timeout | undefined;
  private flushAt = 1;
  private isEnding = false;

  /** @param chargesRequeues true if the broker counts requeues towards the queue's delivery limit */
  constructor(
    readonly channel: Channel,
    readonly chargesRequeues = false,
  ) {}

  get lost(): boolean {
    return this.isLost;
  }

  /** True if all its deliveries are settled. */
  get isSettled(): boolean {
    return this.unsettled.size === 0;
  }

  /** @param prefetch maximum unsettled deliveries */
  set window(prefetch: number) {
    this.flushAt = Math.max(1, Math.floor(prefetch / 2));
  }

  /** Called for each delivery, in their order. */
  delivered(tag: number): void {
    this.unsettled.add(tag);
  }

  /** Gathers an ack. False if the channel is gone. */
  ack(message: ConsumeMessage): boolean {
    if (this.isLost) return false;
    this.gathered.push(message);
    if (this.isEnding) this.gatherLast();
    else if (this.gathered.length >= this.flushAt) this.flush();
    else this.flushing ??= setImmediate(() => this.flush());
    return true;
  }

  /** Called when nothing more is delivered here, and the channel is closed once its deliveries are settled. */
  endSoon(): void {
    this.isEnding = true;
  }

  private gatherLast(): void {
    if (this.gathered.length === this.unsettled.size) this.flush();
    else this.lastFlush ??= setTimeout(() => this.flush(), LAST_GATHERING_MS);
  }

  /** Requeues a message at once. False if the channel is gone. */
  requeue(message: ConsumeMessage): boolean {
    return this.nack(message, true);
  }

  /** Lets the broker dead-letter a message at once. False if the channel is gone. */
  reject(message: ConsumeMessage): boolean {
    return this.nack(message, false);
  }

  private nack(message: ConsumeMessage, requeue: boolean): boolean {
    if (this.isLost) return false;
    // nack instead of reject: from RabbitMQ 4.3 on only reject counts towards the delivery limit, and nothing
    // has failed here.
    if (!this.write(() => this.channel.nack(message, false, requeue))) return false;
    this.unsettled.settle(tagOf(message));
    if (this.isEnding && this.gathered.length > 0) this.gatherLast();
    return true;
  }

  /** Sends the gathered acks. */
  flush(): void {
    this.cancelFlush();
    const messages = this.gathered;
    if (messages.length === 0) return;
    this.gathered = [];
    if (!areInOrder(messages)) messages.sort((left, right) => tagOf(left) - tagOf(right));
    let inPrefix = 0;
    for (const message of messages) {
      // Not the first that is unsettled: an earlier delivery is running.
      if (!this.unsettled.settleFirst(tagOf(message))) break;
      inPrefix += 1;
    }
    const last = messages[inPrefix - 1];
    if (last) this.write(() => this.channel.ack(last, inPrefix > 1));
    for (let behind = inPrefix; behind < messages.length; behind += 1) {
      const message = messages[behind] as ConsumeMessage;
      this.write(() => this.channel.ack(message, false));
      this.unsettled.settle(tagOf(message));
    }
  }

  lose(): void {
    this.isLost = true;
    this.cancelFlush();
    this.gathered = [];
  }

  private cancelFlush(): void {
    clearImmediate(this.flushing);
    clearTimeout(this.lastFlush);
    this.flushing = undefined;
    this.lastFlush = undefined;
  }

  /** False if the channel is closing: its loss is reported in a moment, and the broker delivers again. */
  private write(settle: () => void): boolean {
    try {
      settle();
      return true;
    } catch {
      return false;
    }
  }
}

const tagOf = ({ fields }: ConsumeMessage): number => fields.deliveryTag;

function areInOrder(messages: readonly ConsumeMessage[]): boolean {
  let before = 0;
  for (const message of messages) {
    const tag = tagOf(message);
    if (tag < before) return false;
    before = tag;
  }
  return true;
}
