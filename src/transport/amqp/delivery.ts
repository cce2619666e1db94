import type { Channel, ConsumeMessage } from 'amqplib';
import type { Headers, MessageProperties } from '../../message/message.js';
import type { Delivery } from '../transport.js';
import { receivedProperties } from './values.js';

/** One opening of a consumer's channel. Delivery tags mean something on it only. */
export interface ChannelEpoch {
  readonly channel: Channel;
  lost: boolean;
}

export class AmqpDelivery implements Delivery {
  readonly body: Buffer;
  readonly properties: MessageProperties & { readonly headers: Headers };
  readonly exchange: string;
  readonly routingKey: string;
  readonly queue: string;
  readonly redelivered: boolean;
  readonly deliveryCount: number;
  private settled = false;

  constructor(
    private readonly raw: ConsumeMessage,
    { queue, counts }: { readonly queue: string; readonly counts: boolean },
    private readonly epoch: ChannelEpoch,
  ) {
    this.queue = queue;
    this.body = raw.content;
    this.properties = receivedProperties(raw.properties as MessageProperties);
    this.exchange = raw.fields.exchange;
    this.routingKey = raw.fields.routingKey;
    this.redelivered = raw.fields.redelivered;
    // A publisher can forge it, but not on a redelivery of a queue that counts: there the broker writes its own.
    const count = this.redelivered && counts ? this.properties.headers['x-delivery-count'] : 0;
    this.deliveryCount = typeof count === 'number' ? count : 0;
  }

  get lost(): boolean {
    return this.epoch.lost;
  }

  ack(): boolean {
    return this.settle((channel) => channel.ack(this.raw));
  }

  requeue(): boolean {
    // nack, not reject: from RabbitMQ 4.3 on only reject counts towards the delivery limit, and nothing has failed here.
    return this.settle((channel) => channel.nack(this.raw, false, true));
  }

  private settle(act: (channel: Channel) => void): boolean {
    if (this.settled || this.epoch.lost) return false;
    this.settled = true;
    try {
      act(this.epoch.channel);
      return true;
    } catch {
      // The channel is closing; its loss is told in a moment, and the broker delivers again.
      return false;
    }
  }
}
