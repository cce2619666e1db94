import type { Channel, ConsumeMessage, Options } from 'amqplib';
import type { Delivery, DeliverySink } from '../../transport.js';
import { type ChannelError, featuresOf } from '../connection/channel.js';
import type { ChannelEpoch } from '../connection/channel-epoch.js';
import type { StandingQueueOptions } from '../topology/standing-queue.js';
import type { ForeignQueue } from './foreign-queue.js';
import type { PassingQueue } from './passing-queue.js';

export interface AmqpConsumerOptions extends StandingQueueOptions {
  /** True if the broker counts the queue's deliveries; a classic queue only flags redeliveries. */
  counts(): boolean;
  readonly prefetch: number;
  readonly keptForMs: number | undefined;
  /** The consumer is not restored after a loss. */
  readonly once: boolean;
  readonly sink: DeliverySink;
  /** What is different where each process has a queue of its own; undefined for a queue that all share. */
  readonly own?: OwnQueue | undefined;
  /** The queue, if it goes with its last consumer; undefined for any other. */
  readonly passing?: PassingQueue | undefined;
  /** The consumer goes with all that it has not settled: see `singleActive` of the port's options. */
  readonly singleActive?: boolean;
  /** The queue, if it belongs to someone else: looked at before it is consumed. */
  readonly foreign?: ForeignQueue | undefined;
  /** Declares the queue and its bindings again. */
  redeclare(): Promise<void>;
  onStarted(): void;
  onCancelled(reason: string): void;
  onLost(error: Error): void;
  /** @param lostAt when its channel was found to be gone */
  onRestored(lostAt: Date): void;
  onReopened(error: Error): void;
  onFailed(error: ChannelError): void;
  onClosed(): void;
}

/** A queue that belongs to the process. */
export interface OwnQueue {
  /** Makes it on a new channel, and resolves with its name. */
  make(channel: Channel): Promise<string>;
  delivery(message: ConsumeMessage, epoch: ChannelEpoch, window: number): Delivery;
}

export const BROKER_CANCELS =
  "the broker cancelled the consumer: its queue was deleted, lost its node, or a message was kept longer than the broker's consumer_timeout";

/** What the broker is asked for beside the queue. A classic queue refuses the argument, and waits without limit (tried on 4.3.6). */
export function askedOf(
  channel: Channel,
  { keptForMs, counts }: Pick<AmqpConsumerOptions, 'keptForMs' | 'counts'>,
): Options.Consume {
  const mayAsk = counts() && keptForMs !== undefined && featuresOf(channel).consumerTimeoutBy === 'consumer';
  return mayAsk ? { arguments: { 'x-consumer-timeout': keptForMs } } : {};
}
