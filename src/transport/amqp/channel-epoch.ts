import type { Channel, ConsumeMessage } from 'amqplib';

/** Of a channel that is to be closed: acks wait for what was delivered before them for so long. */
const LAST_GATHERING_MS = 250;

/**
 * One opening of a consumer's channel, and the settling of what came over it: delivery tags mean something here only.
 *
 * Acks are gathered, since each one that the broker reads costs it as much as half a delivery. What is settled without
 * a gap from the channel's first delivery on goes out as one ack for all; what lies behind a message that still runs
 * goes out one by one. Nothing waits longer than to the end of this turn of the event loop, or until half of the window
 * is gathered: if the process dies before that, those messages are delivered again.
 *
 * But for a channel that is to be closed: a quorum queue forgets what a channel has sent it in many commands right before that, and
 * delivers those messages again (rabbitmq-server#10327; it keeps some thirty under way, and what is behind them goes with the
 * channel). So the last acks wait a little, to be one for all.
 *
 * What is settled is the message as the library made it, though all that goes out is its tag: tracers that are laid over the
 * library find by this very object the span that ends here, and keep the message until then.
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
  private gathered: ConsumeMessage[] = [];
  private flushing: NodeJS.Immediate | undefined;
  private lastFlush: NodeJS.Timeout | undefined;
  private flushAt = 1;
  private isEnding = false;

  /** @param chargesRequeues the broker counts what is given back towards the queue's delivery limit */
  constructor(
    readonly channel: Channel,
    readonly chargesRequeues = false,
  ) {}

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
  ack(message: ConsumeMessage): boolean {
    if (this.isLost) return false;
    this.gathered.push(message);
    if (this.isEnding) this.gatherLast();
    else if (this.gathered.length >= this.flushAt) this.flush();
    else this.flushing ??= setImmediate(() => this.flush());
    return true;
  }

  /** Nothing more is delivered here, and the channel is closed when what was is settled. */
  endSoon(): void {
    this.isEnding = true;
  }

  private gatherLast(): void {
    if (this.gathered.length === this.unsettled.size) this.flush();
    else this.lastFlush ??= setTimeout(() => this.flush(), LAST_GATHERING_MS);
  }

  /** Gives a message back, at once. False if the channel is gone. */
  requeue(message: ConsumeMessage): boolean {
    return this.nack(message, true);
  }

  /** Has the broker dead-letter a message, at once. False if the channel is gone. */
  reject(message: ConsumeMessage): boolean {
    return this.nack(message, false);
  }

  private nack(message: ConsumeMessage, requeue: boolean): boolean {
    if (this.isLost) return false;
    // nack, not reject: from RabbitMQ 4.3 on only reject counts towards the delivery limit, and nothing has failed here.
    if (!this.write(() => this.channel.nack(message, false, requeue))) return false;
    this.unsettled.delete(tagOf(message));
    if (this.isEnding && this.gathered.length > 0) this.gatherLast();
    return true;
  }

  /** Sends what is gathered. */
  flush(): void {
    this.cancelFlush();
    const messages = this.gathered;
    if (messages.length === 0) return;
    this.gathered = [];
    messages.sort((left, right) => tagOf(left) - tagOf(right));
    const inPrefix = this.prefixOf(messages);
    const last = messages[inPrefix - 1];
    if (last) this.write(() => this.channel.ack(last, inPrefix > 1));
    for (const message of messages.slice(inPrefix)) this.write(() => this.channel.ack(message, false));
    for (const message of messages) this.unsettled.delete(tagOf(message));
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

  /** How many of these, from the first on, have nothing before them that still runs. */
  private prefixOf(messages: readonly ConsumeMessage[]): number {
    let count = 0;
    for (const tag of this.unsettled) {
      const message = messages[count];
      if (message === undefined || tag !== tagOf(message)) break;
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

const tagOf = ({ fields }: ConsumeMessage): number => fields.deliveryTag;
