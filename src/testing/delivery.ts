import { HEADER } from '../message/headers.js';
import type { OutgoingMessage } from '../message/message.js';
import { followingId } from '../message/message-id.js';
import type { Headers } from '../message/properties.js';
import type { AttemptPublishes } from '../pipeline/attempt.js';
import { type Origin, originIn } from '../topology/origin.js';
import type { MemoryDelivery } from '../transport/memory/delivery.js';
import type { StoredMessage } from '../transport/memory/stored-message.js';
import type { Delivery } from '../transport/transport.js';
import type { Open } from './flow.js';
import type { Cause } from './lineage.js';

/** Exchange and routing key of a message's publish, whatever it has travelled under since. */
export function originOf(message: Origin & { readonly properties: { readonly headers?: Headers } }): Origin {
  return originIn(message.properties.headers ?? {}) ?? message;
}

/** The same of a message that is being published. */
export function originOfOutgoing(message: OutgoingMessage): Origin {
  const found = originIn(message.properties.headers ?? {});
  if (found) return found;
  if (message.to === 'exchange') return message;
  return { exchange: '', routingKey: (message.to === 'reply' ? message.address : message.queue) ?? '' };
}

/** Settles a {@link KitDelivery}. */
export interface DeliveryOwner {
  readonly isDead: boolean;
  acked(delivery: KitDelivery): void;
  requeued(delivery: KitDelivery): void;
  rejected(delivery: KitDelivery): void;
}

/** A delivery of the memory broker on its way through the kit, which may lose its ack. */
export class KitDelivery implements Delivery, Open {
  readonly body: Delivery['body'];
  readonly properties: Delivery['properties'];
  readonly exchange: string;
  readonly routingKey: string;
  readonly queue: string;
  readonly deliveryCount: number;
  readonly window: number;
  readonly requeueIsCharged: boolean;
  state: Open['state'] = 'waiting';
  passedOver = false;
  /** Handler of the delivery; undefined until one is found. */
  handler: string | undefined;
  /** The handler's run, as the cause of what follows it: the chain's next step, and what it has published after its attempt. */
  cause: Cause | undefined;
  /** What its attempt publishes when it has succeeded. */
  kept: AttemptPublishes | undefined;
  isSettled = false;

  /** @param redelivered true if the test delivered it again */
  constructor(
    readonly inner: MemoryDelivery,
    readonly redelivered: boolean,
    private readonly owner: DeliveryOwner,
  ) {
    this.body = inner.body;
    this.properties = inner.properties;
    this.exchange = inner.exchange;
    this.routingKey = inner.routingKey;
    this.queue = inner.queue;
    this.deliveryCount = inner.deliveryCount;
    this.window = inner.window;
    this.requeueIsCharged = inner.requeueIsCharged;
  }

  get messageId(): string | undefined {
    return this.properties.messageId;
  }

  get stored(): StoredMessage {
    return this.inner.queued.message;
  }

  get lost(): boolean {
    return this.owner.isDead || this.inner.lost;
  }

  ack(): boolean {
    if (!this.settle()) return false;
    this.owner.acked(this);
    return true;
  }

  requeue(): boolean {
    if (!this.settle()) return false;
    this.owner.requeued(this);
    return true;
  }

  reject(): boolean {
    if (!this.settle()) return false;
    this.owner.rejected(this);
    return true;
  }

  /** True if this message is the next step of the delivery's chain, or its failure step, or what its handler has published. */
  leadsTo({ properties }: OutgoingMessage): boolean {
    if (this.kept?.has(properties.messageId)) return true;
    const { messageId } = this;
    if (messageId === undefined || properties.headers?.[HEADER.chain] === undefined) return false;
    const ids = [followingId(messageId, 'next'), followingId(messageId, 'failure')];
    return ids.some((id) => id === properties.messageId);
  }

  describe(): string {
    const who = this.handler ?? `a handler of queue '${this.queue}'`;
    const verb = this.state === 'running' ? 'has not returned from' : 'has not begun with';
    return `${who} ${verb} '${originOf(this).routingKey}'`;
  }

  private settle(): boolean {
    if (this.lost || this.isSettled) return false;
    this.isSettled = true;
    return true;
  }
}
