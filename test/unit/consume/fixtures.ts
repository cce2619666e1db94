import type { Handler, SubscriptionDefaults } from '../../../src/consume/handlers/subscription.js';
import type { Headers, MessageProperties } from '../../../src/message/properties.js';
import { type Received, receive } from '../../../src/pipeline/received.js';
import { Work } from '../../../src/pipeline/work.js';
import { RETRY_DEFAULTS } from '../../../src/retry/policy.js';
import { Names } from '../../../src/topology/names.js';
import type { Delivery } from '../../../src/transport/transport.js';

export const names = new Names();

/** What a bus says of queues and handlers that say nothing themselves. */
export const defaults: SubscriptionDefaults = {
  service: 'shop',
  exchange: { name: 'hopline.events', declare: true },
  concurrency: 10,
  retry: undefined,
  timeoutMs: 60_000,
  hasInbox: false,
  hasCheckpoints: true,
  hasSemaphores: true,
};

/** A delivery that only remembers how it was settled. */
export class TestDelivery implements Delivery {
  readonly body: Buffer;
  readonly properties: MessageProperties & { readonly headers: Headers };
  readonly exchange: string;
  readonly routingKey: string;
  readonly queue: string;
  readonly redelivered: boolean;
  readonly deliveryCount: number;
  readonly window: number;
  readonly requeueIsCharged: boolean;
  readonly unreadable: string | undefined;
  lost = false;
  settled: 'ack' | 'requeue' | 'reject' | undefined;

  constructor(
    given: Partial<Omit<Delivery, 'properties' | 'ack' | 'requeue' | 'lost'>> & {
      properties?: MessageProperties;
    } = {},
  ) {
    this.body = given.body ?? Buffer.from('{}');
    const headers: Headers = Object.assign(Object.create(null), given.properties?.headers);
    this.properties = { ...given.properties, headers };
    this.exchange = given.exchange ?? 'hopline.events';
    this.routingKey = given.routingKey ?? 'order.placed';
    this.queue = given.queue ?? 'billing';
    this.deliveryCount = given.deliveryCount ?? 0;
    this.redelivered = given.redelivered ?? false;
    this.window = given.window ?? 1;
    this.requeueIsCharged = given.requeueIsCharged ?? false;
    this.unreadable = given.unreadable;
  }

  ack(): boolean {
    return this.settle('ack');
  }

  requeue(): boolean {
    return this.settle('requeue');
  }

  reject(): boolean {
    return this.settle('reject');
  }

  get isSettled(): boolean {
    return this.settled !== undefined;
  }

  private settle(how: 'ack' | 'requeue' | 'reject'): boolean {
    if (this.lost || this.settled) return false;
    this.settled = how;
    return true;
  }
}

export function received(...given: ConstructorParameters<typeof TestDelivery>): Received {
  return receive(new TestDelivery(...given), names);
}

const events = { name: 'hopline.events', declare: true };

export function handler(name: string, patterns: readonly string[], given: Partial<Handler> = {}): Handler {
  return {
    bulk: undefined,
    long: undefined,
    rateLimit: undefined,
    circuitBreaker: undefined,
    middleware: undefined,
    idempotent: undefined,
    inbox: undefined,
    resumable: undefined,
    unique: undefined,
    encrypted: false,
    permits: undefined,
    publishes: undefined,
    body: undefined,
    name,
    queue: 'billing',
    routes: patterns.map((pattern) => ({ pattern, exchange: events, definition: undefined })),
    retry: RETRY_DEFAULTS,
    timeoutMs: 60_000,
    concurrency: 10,
    answers: undefined,
    handle: () => {},
    failed: undefined,
    ...given,
  };
}

export function workFor(its?: Handler, delivery = new TestDelivery(), lane = 0): Work {
  return new Work(receive(delivery, names), its && { handler: its, definition: undefined }, lane);
}
