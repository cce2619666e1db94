import { randomUUID } from 'node:crypto';
import type { OutgoingMessage } from '../../src/message/message.js';
import type { MessageProperties } from '../../src/message/properties.js';
import { outgoingFields } from '../../src/message/wire/outgoing-fields.js';
import type { TopologyMode } from '../../src/topology/bus-topology.js';
import type {
  BindingPlan,
  BrokerTopology,
  ExchangePlan,
  QueueArguments,
  TopologyPlan,
} from '../../src/topology/plan.js';
import type { Heard, Held, Listening } from '../../src/transport/operator-session.js';
import type { Consumer, Delivery, Session } from '../../src/transport/transport.js';
import type { Clock } from '../../src/util/clock.js';
import { Deadline } from '../../src/util/deadline.js';

/** A topology in short. Names are the test's own: the port prefixes them. */
export interface PlanSketch {
  /** By name: its type, or its plan. */
  readonly exchanges?: Readonly<Record<string, ExchangePlan['type'] | Omit<ExchangePlan, 'name'>>>;
  /** By name: its arguments, beside those of every work queue: quorum, with a delivery limit. */
  readonly queues?: Readonly<Record<string, Partial<QueueArguments>>>;
  /** `exchange -> queue: pattern`, or `exchange => exchange: pattern`. */
  readonly bindings?: readonly string[];
}

/** Without a delivery limit RabbitMQ 3 puts what is requeued at the queue's end. */
const LIKE_A_WORK_QUEUE = { 'x-queue-type': 'quorum', 'x-delivery-limit': 20 } as const;

/** What a test does with a delivery as soon as it comes. */
export type OnDelivery = (delivery: Delivery) => unknown;

export const hold: OnDelivery = () => {};
export const ack: OnDelivery = (delivery) => delivery.ack();

/** Remembers what a consumer was given, and how much of it was unsettled at once. */
export class Collector {
  readonly deliveries: Delivery[] = [];
  readonly losses: Error[] = [];
  consumer!: Consumer;
  mostHeld = 0;
  private held = 0;

  constructor(private readonly onDelivery: OnDelivery) {}

  deliver(delivery: Delivery): void {
    this.deliveries.push(delivery);
    this.held += 1;
    this.mostHeld = Math.max(this.mostHeld, this.held);
    this.onDelivery(delivery);
  }

  lost(reason: Error): void {
    this.losses.push(reason);
  }

  /** Acks, and counts it as no longer held. */
  ack(delivery: Delivery): boolean {
    this.held -= 1;
    return delivery.ack();
  }

  /** Acks all that was delivered and is still held, in order. */
  ackAll(): void {
    for (const delivery of this.deliveries) if (delivery.ack()) this.held -= 1;
  }

  get bodies(): string[] {
    return this.deliveries.map(({ body }) => body.toString());
  }

  at(index: number): Delivery {
    const delivery = this.deliveries[index];
    if (!delivery) throw new Error(`only ${this.deliveries.length} deliveries have come`);
    return delivery;
  }
}

/** Remembers what was heard. */
export class Ears {
  readonly bodies: string[] = [];
  /** How often it was away. */
  times = 0;
  listening!: Listening;

  heard({ body }: Heard): void {
    this.bodies.push(body.toString());
  }

  back(): void {
    this.times += 1;
  }
}

export interface PortPublish {
  /** The test's own exchange, by its short name. Default: `e`. */
  exchange?: string;
  properties?: MessageProperties;
  mustRoute?: boolean;
  deadlineMs?: number;
}

/** A session of a transport whose broker has exchanges, queues and bindings. */
export interface PlanSession extends Session {
  declarePlan(plan: BrokerTopology, mode: TopologyMode, deadline: Deadline): Promise<void>;
}

/** One session of a transport, with short names and the port's calls in short form. */
export class Port {
  constructor(
    readonly session: PlanSession,
    private readonly clock: Clock,
    /** The name in the broker of what a test calls `short`. */
    readonly name: (short: string) => string,
  ) {}

  get deadline(): Deadline {
    return new Deadline(this.clock, 10_000);
  }

  declare(sketch: PlanSketch, mode: TopologyMode = 'declare'): Promise<void> {
    return this.session.declarePlan({ own: this.plan(sketch) }, mode, this.deadline);
  }

  /** A topic exchange `e` and one queue for each pattern list. */
  queues(patterns: Readonly<Record<string, readonly string[]>>): Promise<void> {
    const names = Object.keys(patterns);
    return this.declare({
      exchanges: { e: 'topic' },
      queues: Object.fromEntries(names.map((name) => [name, {}])),
      bindings: names.flatMap((name) => (patterns[name] ?? []).map((pattern) => `e -> ${name}: ${pattern}`)),
    });
  }

  publish(routingKey: string, body: string | Buffer = '', options: PortPublish = {}): Promise<unknown> {
    const { exchange = 'e', properties = {}, mustRoute = false, deadlineMs = 10_000 } = options;
    const message: OutgoingMessage = {
      to: 'exchange',
      exchange: exchange === '' ? '' : this.name(exchange),
      routingKey,
      body: Buffer.from(body),
      ...outgoingFields({ deliveryMode: 2, ...properties }),
      mustRoute,
      deadlineMs,
    };
    return this.session.publish(message);
  }

  /** One message for each body, one after the other on the wire, all of them confirmed. */
  async publishAll(routingKey: string, bodies: readonly string[]): Promise<void> {
    await Promise.all(bodies.map((body) => this.publish(routingKey, body)));
  }

  async consume(queue: string, onDelivery: OnDelivery, prefetch = 10): Promise<Collector> {
    const collector = new Collector(onDelivery);
    collector.consumer = await this.session.consume(this.name(queue), { prefetch }, collector);
    return collector;
  }

  /** Bodies that were heard, as they come; the queue is the test's own. */
  async listen(exchange: string, key = '', queue = `ears-${randomUUID()}`): Promise<Ears> {
    const ears = new Ears();
    const source = { exchange: this.name(exchange), key, queueName: () => this.name(queue) };
    ears.listening = await this.session.listen(source, ears);
    return ears;
  }

  hold(queue: string, deadline = this.deadline): Promise<Held | undefined> {
    return this.session.hold(this.name(queue), deadline);
  }

  /** What is held first, given back at once. */
  async peek(queue: string): Promise<string | undefined> {
    const held = await this.hold(queue);
    held?.requeue();
    return held?.body.toString();
  }

  close(): Promise<void> {
    return this.session.close(this.deadline);
  }

  private plan({ exchanges = {}, queues = {}, bindings = [] }: PlanSketch): TopologyPlan {
    return {
      exchanges: Object.entries(exchanges).map(([short, sketch]) => {
        const plan = typeof sketch === 'string' ? { type: sketch } : sketch;
        const { alternateExchange } = plan;
        return {
          ...plan,
          name: this.name(short),
          ...(alternateExchange === undefined ? {} : { alternateExchange: this.name(alternateExchange) }),
        };
      }),
      queues: Object.entries(queues).map(([short, args]) => ({
        name: this.name(short),
        arguments: this.arguments(args),
      })),
      bindings: bindings.map((text) => this.binding(text)),
    };
  }

  private arguments(args: Partial<QueueArguments>): QueueArguments {
    const { 'x-queue-type': type = 'quorum', 'x-dead-letter-exchange': deadLetters } = args;
    return {
      ...(type === 'quorum' ? LIKE_A_WORK_QUEUE : { 'x-queue-type': type }),
      ...args,
      ...(deadLetters === undefined ? {} : { 'x-dead-letter-exchange': this.name(deadLetters) }),
    };
  }

  private binding(text: string): BindingPlan {
    const match = /^(\S+) (->|=>) (\S+): (.*)$/.exec(text);
    if (!match) throw new Error(`not a binding: ${text}`);
    const [, source = '', arrow, destination = '', pattern = ''] = match;
    return {
      source: this.name(source),
      destination: this.name(destination),
      destinationType: arrow === '=>' ? 'exchange' : 'queue',
      pattern,
    };
  }
}

export const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`);
