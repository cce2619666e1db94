import type { Delivery } from '../transport.js';
import type { Queue } from './queue.js';
import type { QueuedMessage } from './queued-message.js';
import { copyProperties, type DeliveredProperties } from './stored-message.js';

/** Settling of a delivery, called on the consumer that holds it. */
export interface Settling {
  acked(delivery: MemoryDelivery): void;
  returned(delivery: MemoryDelivery): void;
  rejected(delivery: MemoryDelivery): void;
}

export class MemoryDelivery implements Delivery {
  readonly body: Buffer;
  readonly properties: DeliveredProperties;
  readonly exchange: string;
  readonly routingKey: string;
  readonly queue: string;
  readonly redelivered: boolean;
  readonly deliveryCount: number;
  /** As in RabbitMQ before 4.3. */
  readonly requeueIsCharged: boolean;
  private state: 'held' | 'settled' | 'lost' = 'held';

  constructor(
    readonly queued: QueuedMessage,
    readonly from: Queue,
    private readonly consumer: Settling,
    readonly window = 1,
  ) {
    const { message, deliveryCount } = queued;
    this.body = Buffer.from(message.body);
    this.properties = copyProperties(message.properties);
    this.exchange = message.exchange;
    this.routingKey = message.routingKey;
    this.queue = from.name;
    this.redelivered = deliveryCount > 0;
    this.requeueIsCharged = from.countsDeliveries;
    this.deliveryCount = this.requeueIsCharged ? deliveryCount : 0;
    // On a first delivery a header of this name is the publisher's.
    if (this.deliveryCount > 0) this.properties.headers['x-delivery-count'] = this.deliveryCount;
  }

  get lost(): boolean {
    return this.state === 'lost';
  }

  get isSettled(): boolean {
    return this.state === 'settled';
  }

  lose(): void {
    this.state = 'lost';
  }

  ack(): boolean {
    if (!this.settle()) return false;
    this.consumer.acked(this);
    return true;
  }

  requeue(): boolean {
    if (!this.settle()) return false;
    this.consumer.returned(this);
    return true;
  }

  reject(): boolean {
    if (!this.settle()) return false;
    this.consumer.rejected(this);
    return true;
  }

  private settle(): boolean {
    if (this.state !== 'held') return false;
    this.state = 'settled';
    return true;
  }
}
