import type { ConsumeMessage } from 'amqplib';
import type { Headers, MessageProperties } from '../../../message/properties.js';
import type { EncodedProperties, MessageSource } from '../../../message/wire/encoded-properties.js';
import type { Delivery } from '../../transport.js';
import type { ChannelEpoch } from '../connection/channel-epoch.js';
import { receivedProperties } from '../values.js';
import type { Properties } from '../wire/properties-reader.js';

export class AmqpDelivery implements Delivery {
  readonly body: Buffer;
  readonly properties: MessageProperties & { readonly headers: Headers };
  readonly exchange: string;
  readonly routingKey: string;
  readonly queue: string;
  readonly redelivered: boolean;
  readonly deliveryCount: number;
  readonly unreadable: string | undefined;

  private readonly encoded: EncodedProperties | undefined;
  /** The library's message, until it is settled. */
  private raw: ConsumeMessage | undefined;

  constructor(
    raw: ConsumeMessage,
    { queue, counts }: { readonly queue: string; counts(): boolean },
    private readonly epoch: ChannelEpoch,
    readonly window: number,
  ) {
    this.raw = raw;
    epoch.delivered(raw.fields.deliveryTag);
    this.queue = queue;
    this.body = raw.content;
    const { unreadable, encoded } = raw.properties as Partial<Properties>;
    this.unreadable = unreadable;
    this.encoded = encoded;
    this.properties = receivedProperties(raw.properties as MessageProperties);
    this.exchange = raw.fields.exchange;
    this.routingKey = raw.fields.routingKey;
    this.redelivered = raw.fields.redelivered;
    // A publisher can forge the header, but not on a redelivery of a queue that counts: there the broker
    // overwrites it.
    const count = this.redelivered && counts() ? this.properties.headers['x-delivery-count'] : 0;
    this.deliveryCount = typeof count === 'number' ? count : 0;
  }

  get source(): MessageSource | undefined {
    const { encoded, properties: read } = this;
    return encoded && { encoded, read };
  }

  get lost(): boolean {
    return this.epoch.lost;
  }

  get isSettled(): boolean {
    return this.raw === undefined;
  }

  get requeueIsCharged(): boolean {
    return this.epoch.chargesRequeues;
  }

  ack(): boolean {
    const raw = this.taken();
    return raw !== undefined && this.epoch.ack(raw);
  }

  requeue(): boolean {
    const raw = this.taken();
    return raw !== undefined && this.epoch.requeue(raw);
  }

  reject(): boolean {
    const raw = this.taken();
    return raw !== undefined && this.epoch.reject(raw);
  }

  private taken(): ConsumeMessage | undefined {
    const { raw } = this;
    this.raw = undefined;
    return raw;
  }
}
