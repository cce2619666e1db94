import type { ConsumeMessage } from 'amqplib';
import type { Headers, MessageProperties } from '../../message/message.js';
import type { Delivery } from '../transport.js';
import type { ChannelEpoch } from './channel-epoch.js';
import { receivedProperties } from './values.js';

export class AmqpDelivery implements Delivery {
  readonly body: Buffer;
  readonly properties: MessageProperties & { readonly headers: Headers };
  readonly exchange: string;
  readonly routingKey: string;
  readonly queue: string;
  readonly redelivered: boolean;
  readonly deliveryCount: number;
  private readonly tag: number;
  isSettled = false;

  constructor(
    raw: ConsumeMessage,
    { queue, counts }: { readonly queue: string; readonly counts: boolean },
    private readonly epoch: ChannelEpoch,
  ) {
    this.tag = raw.fields.deliveryTag;
    epoch.delivered(this.tag);
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
    return this.settle() && this.epoch.ack(this.tag);
  }

  requeue(): boolean {
    return this.settle() && this.epoch.requeue(this.tag);
  }

  reject(): boolean {
    return this.settle() && this.epoch.reject(this.tag);
  }

  private settle(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    return true;
  }
}
