import { goesWithConsumer, type QueuePlan } from '../../topology/plan.js';
import type { Browsed, Peeked } from '../operator-session.js';
import type { Alarm } from './alarms.js';
import { ConsumerRing, type Taker } from './consumer-ring.js';
import { type DeadLetterHost, DeadLetters } from './dead-letters.js';
import { priorityIn } from './priority.js';
import { PriorityLine } from './priority-line.js';
import type { QueuedMessage } from './queued-message.js';
import { copyProperties, type StoredMessage } from './stored-message.js';
import type { Turns } from './turns.js';

/** Deliveries of one queue in one turn of the event loop, so that a long queue starves neither others nor I/O. */
const BATCH = 256;

export interface QueueHost extends DeadLetterHost {
  readonly turns: Turns;
  /** Forgets the queue, its bindings and its messages. */
  delete(queue: Queue): void;
}

/**
 * Messages in order, by priority if the queue has priorities, and its consumers. It has the hazards of
 * RabbitMQ's queues: a TTL ends a message only at the head, the delivery limit counts every way of not acking,
 * and dead letters may have no route.
 */
export class Queue {
  private readonly line = new PriorityLine<QueuedMessage>(({ priority }) => priority);
  private readonly consumers = new ConsumerRing();
  private readonly deadLetters: DeadLetters;
  private readonly ttlMs: number;
  /** True if it refuses messages when it is full; else it drops its oldest. */
  private readonly refuses: boolean;
  private readonly maxLength: number;
  private readonly deliveryLimit: number;
  private maxPriority: number | undefined;
  private nextPosition = 0;
  private isPumping = false;
  private expiry: Alarm | undefined;
  /** End of a queue without consumers that is there only for them. */
  private leaving: Alarm | undefined;
  private isDeleted = false;

  constructor(
    readonly plan: QueuePlan,
    private readonly host: QueueHost,
  ) {
    const args = plan.arguments;
    this.deadLetters = new DeadLetters(plan, host);
    this.ttlMs = args['x-message-ttl'] ?? Number.POSITIVE_INFINITY;
    this.refuses = args['x-overflow'] === 'reject-publish';
    this.maxLength = args['x-max-length'] ?? Number.POSITIVE_INFINITY;
    this.deliveryLimit = args['x-delivery-limit'] ?? Number.POSITIVE_INFINITY;
    this.maxPriority = plan.maxPriority;
  }

  get name(): string {
    return this.plan.name;
  }

  /** Quorum queues count redeliveries; classic ones only flag them. */
  get countsDeliveries(): boolean {
    return this.plan.arguments['x-queue-type'] === 'quorum';
  }

  get ready(): number {
    return this.line.size;
  }

  /** A copy of the first message, which stays where it is. */
  peek(): Peeked | undefined {
    return this.browse(1)[0];
  }

  /** Copies of the first messages, which stay where they are. */
  browse(most: number): Browsed[] {
    this.dropExpired(this.host.clock.monotonic());
    return this.line.firstOnes(most).map(({ message, deliveryCount }) => ({
      body: Buffer.from(message.body),
      properties: copyProperties(message.properties),
      exchange: message.exchange,
      routingKey: message.routingKey,
      redelivered: deliveryCount > 0,
    }));
  }

  /** Deletes the waiting messages, and returns their number. */
  purge(): number {
    const { size } = this.line;
    while (this.line.size > 0) this.line.shift();
    return size;
  }

  get consumerCount(): number {
    return this.consumers.size;
  }

  /**
   * A repeated declaration with the same arguments: a quorum queue's priorities are no argument, so a later
   * declaration can add them.
   */
  declaredAgain({ maxPriority }: QueuePlan): void {
    this.maxPriority ??= maxPriority;
  }

  get hasRoom(): boolean {
    return !this.refuses || this.line.size < this.maxLength;
  }

  /** @returns false if the queue is full and refuses the message */
  put(message: StoredMessage): boolean {
    if (!this.hasRoom) return false;
    const ownTtlMs = Number(message.properties.expiration ?? Number.POSITIVE_INFINITY);
    this.line.push({
      message,
      priority: priorityIn(this.plan.arguments, this.maxPriority, message),
      position: this.nextPosition,
      expiresAt: this.host.clock.monotonic() + Math.min(this.ttlMs, ownTtlMs),
      deliveryCount: 0,
    });
    this.nextPosition += 1;
    this.afterArrival();
    return true;
  }

  /**
   * Takes back deliveries that were not acked, in any order: each goes back to its place, or is dead-lettered
   * at the delivery limit.
   */
  putBack(returned: QueuedMessage[]): void {
    if (this.isDeleted) return;
    const staying: QueuedMessage[] = [];
    for (const queued of returned.sort((a, b) => a.position - b.position)) {
      queued.deliveryCount += 1;
      if (queued.deliveryCount > this.deliveryLimit) this.deadLetters.add(queued.message, 'delivery_limit');
      else staying.push(queued);
    }
    // In reverse, so that each goes right to the front.
    for (const queued of staying.reverse()) {
      this.line.putBack(queued, ({ position }) => position < queued.position);
    }
    this.afterArrival();
  }

  /** Dead-letters a message that a consumer has rejected. */
  giveUp({ message }: QueuedMessage): void {
    this.deadLetters.add(message, 'rejected');
  }

  addConsumer(consumer: Taker): void {
    this.consumers.add(consumer);
    if (this.leaving) this.host.alarms.cancel(this.leaving);
    this.leaving = undefined;
    this.wake();
  }

  removeConsumer(consumer: Taker): void {
    if (this.consumers.remove(consumer) && this.consumers.size === 0 && goesWithConsumer(this.plan))
      this.leave();
  }

  /** As in RabbitMQ: a classic queue is auto-delete, and a quorum queue, which can't be that, expires. */
  private leave(): void {
    if (!this.countsDeliveries) {
      this.delete();
      return;
    }
    const afterMs = this.plan.arguments['x-expires'] ?? 0;
    this.leaving = this.host.alarms.set(() => this.delete(), this.host.clock.monotonic() + afterMs);
  }

  private delete(): void {
    this.isDeleted = true;
    this.purge();
    this.watchHead();
    this.host.delete(this);
  }

  /** Delivers in the next turn of the event loop. */
  wake(): void {
    if (this.isPumping || this.line.size === 0 || this.consumers.size === 0) return;
    this.isPumping = true;
    this.host.turns.next(this.pump);
  }

  private afterArrival(): void {
    // Returned messages may exceed the limit of a queue that refuses.
    while (!this.refuses && this.line.size > this.maxLength) this.dropHead('maxlen');
    this.watchHead();
    this.wake();
  }

  private readonly pump = (): void => {
    this.isPumping = false;
    const now = this.host.clock.monotonic();
    for (let left = BATCH; left > 0; left -= 1) {
      this.dropExpired(now);
      const consumer = this.line.size > 0 ? this.nextConsumer() : undefined;
      if (!consumer) {
        this.watchHead();
        return;
      }
      consumer.take(this.line.shift() as QueuedMessage);
    }
    this.watchHead();
    this.wake();
  };

  private nextConsumer(): Taker | undefined {
    return this.plan.arguments['x-single-active-consumer'] === true
      ? this.consumers.active()
      : this.consumers.next();
  }

  private dropExpired(now: number): void {
    for (let head = this.line.first; head && head.expiresAt <= now; head = this.line.first) {
      this.dropHead('expired');
    }
  }

  private dropHead(reason: 'expired' | 'maxlen'): void {
    const { message } = this.line.shift() as QueuedMessage;
    this.deadLetters.add(message, reason);
  }

  /**
   * Keeps one timer for the head's expiry. A timer for an earlier moment stays: the head changes with every
   * delivery, and a timer without work is cheaper than a new one each time.
   */
  private watchHead(): void {
    const expiresAt = this.line.first?.expiresAt ?? Number.POSITIVE_INFINITY;
    if (this.expiry) {
      if (this.expiry.dueAt <= expiresAt && expiresAt !== Number.POSITIVE_INFINITY) return;
      this.host.alarms.cancel(this.expiry);
      this.expiry = undefined;
    }
    if (expiresAt === Number.POSITIVE_INFINITY) return;
    this.expiry = this.host.alarms.set(() => {
      this.expiry = undefined;
      this.dropExpired(this.host.clock.monotonic());
      this.watchHead();
    }, expiresAt);
  }
}
