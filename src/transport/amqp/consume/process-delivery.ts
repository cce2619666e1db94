import type { ConsumeMessage } from 'amqplib';
import type { OutgoingMessage } from '../../../message/message.js';
import type { Headers, MessageProperties } from '../../../message/properties.js';
import type { MessageSource } from '../../../message/wire/encoded-properties.js';
import type { Delivery } from '../../transport.js';
import type { ChannelEpoch } from '../connection/channel-epoch.js';
import { AmqpDelivery } from './delivery.js';

/** A classic queue only flags redeliveries. */
const NEVER = () => false;

/** Takes back what a process can't give back to its queue. */
export interface Keeper {
  putBack(delivery: Delivery): void;
  settled(body: Buffer): void;
}

/**
 * A delivery from the queue of a process. It belongs to the process: when its channel is lost the broker forgets it, and the process
 * goes on with it.
 */
export class ProcessDelivery extends AmqpDelivery {
  constructor(
    raw: ConsumeMessage,
    queue: string,
    private readonly keeper: Keeper,
    epoch: ChannelEpoch,
    window: number,
  ) {
    super(raw, { queue, counts: NEVER }, epoch, window);
  }

  override get lost(): boolean {
    return false;
  }

  override ack(): boolean {
    const isFirst = !this.isSettled;
    super.ack();
    return isFirst;
  }

  override requeue(): boolean {
    const isFirst = !this.isSettled;
    if (isFirst && !super.requeue()) this.keeper.putBack(this);
    return isFirst;
  }

  /** Without its channel nobody dead-letters it. */
  get rejectDrops(): boolean {
    return super.lost;
  }
}

/** Content of a message that waits in the process, and how it came. */
export type Kept = Pick<
  Delivery,
  'body' | 'properties' | 'exchange' | 'routingKey' | 'redelivered' | 'source'
>;

/** A message that has waited in the process, as if the broker had delivered it. */
export class KeptDelivery implements Delivery {
  readonly body: Buffer;
  readonly properties: MessageProperties & { readonly headers: Headers };
  readonly exchange: string;
  readonly routingKey: string;
  readonly redelivered: boolean;
  readonly source: MessageSource | undefined;
  readonly deliveryCount = 0;
  readonly lost = false;
  readonly requeueIsCharged = false;
  readonly rejectDrops = true;
  isSettled = false;

  constructor(
    { body, properties, exchange, routingKey, redelivered, source }: Kept,
    readonly queue: string,
    readonly window: number,
    private readonly keeper: Keeper,
  ) {
    this.body = body;
    this.properties = properties;
    this.exchange = exchange;
    this.routingKey = routingKey;
    this.redelivered = redelivered;
    this.source = source;
  }

  ack(): boolean {
    return this.settle();
  }

  requeue(): boolean {
    const isFirst = this.settle();
    if (isFirst) this.keeper.putBack(this);
    return isFirst;
  }

  reject(): boolean {
    this.settle();
    return false;
  }

  private settle(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    this.keeper.settled(this.body);
    return true;
  }
}

/** A copy that comes back, as the broker would deliver it from an exchange. */
export function keptCopy(message: OutgoingMessage, exchange: string): Kept {
  const { body, properties, priority, source } = message;
  const { headers, ...others } = properties;
  return {
    body,
    properties: {
      ...others,
      headers: Object.assign(Object.create(null), headers) as Headers,
      ...(priority === undefined ? {} : { priority }),
    },
    exchange,
    routingKey: '',
    redelivered: false,
    source,
  };
}
