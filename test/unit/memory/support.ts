import type { BusEvents } from '../../../src/events.js';
import type { OutgoingMessage } from '../../../src/message/message.js';
import type { MessageProperties } from '../../../src/message/properties.js';
import { outgoingFields } from '../../../src/message/wire/outgoing-fields.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { Names } from '../../../src/topology/names.js';
import type { BindingPlan, ExchangePlan, QueueArguments, TopologyPlan } from '../../../src/topology/plan.js';
import { memory } from '../../../src/transport/memory/index.js';
import type { MemorySession } from '../../../src/transport/memory/session.js';
import type { Consumer, Delivery, SessionOptions, Transport } from '../../../src/transport/transport.js';
import type { Clock } from '../../../src/util/clock.js';
import { Deadline } from '../../../src/util/deadline.js';
import { Emitter } from '../../../src/util/emitter.js';
import { silentLogger } from '../../../src/util/logger.js';

export const exchange = (
  name: string,
  type: ExchangePlan['type'] = 'topic',
  rest: Partial<ExchangePlan> = {},
): ExchangePlan => ({ name, type, ...rest });

export const quorum = (args: Partial<QueueArguments> = {}): QueueArguments => ({
  'x-queue-type': 'quorum',
  ...args,
});

export const classic = (args: Partial<QueueArguments> = {}): QueueArguments => ({
  'x-queue-type': 'classic',
  ...args,
});

/** `e -> q: pattern`, and `e => other: pattern` to an exchange. */
export function binding(text: string): BindingPlan {
  const [, source, arrow, destination, pattern] = /^(\S+) (->|=>) (\S+): (.*)$/.exec(
    text,
  ) as unknown as string[];
  return {
    source: source as string,
    destination: destination as string,
    destinationType: arrow === '=>' ? 'exchange' : 'queue',
    pattern: pattern as string,
  };
}

export interface PlanSketch {
  readonly exchanges?: readonly ExchangePlan[];
  readonly queues?: Readonly<Record<string, QueueArguments>>;
  readonly bindings?: readonly string[];
}

export function plan({ exchanges = [], queues = {}, bindings = [] }: PlanSketch): TopologyPlan {
  return {
    exchanges,
    queues: Object.entries(queues).map(([name, args]) => ({ name, arguments: args })),
    bindings: bindings.map(binding),
  };
}

/** A consumer that remembers what it was given, and settles as it is told. */
export class Collector {
  readonly deliveries: Delivery[] = [];
  consumer!: Consumer;

  constructor(private readonly onDelivery: (delivery: Delivery) => void) {}

  deliver(delivery: Delivery): void {
    this.deliveries.push(delivery);
    this.onDelivery(delivery);
  }

  lost(): void {}

  get bodies(): string[] {
    return this.deliveries.map(({ body }) => body.toString());
  }
}

export const hold = (): void => {};
export const ack = (delivery: Delivery): void => void delivery.ack();
export const requeue = (delivery: Delivery): void => void delivery.requeue();

/** One session on a broker, with the port's calls in short form. */
export class Bench {
  readonly seen: string[] = [];
  readonly events = new Emitter<BusEvents>((_name, error) => {
    throw error;
  });
  readonly deadline: Deadline;
  session!: MemorySession;

  constructor(
    readonly transport: Transport,
    readonly clock: ManualClock,
  ) {
    this.deadline = new Deadline(clock, 30_000);
    this.events.on('connection.up', ({ service, connection, address }) => {
      this.seen.push(`${service} ${connection} ${address}`);
    });
  }

  async open(options: Partial<SessionOptions> = {}): Promise<this> {
    const defaults = { service: 'test', names: new Names(), events: this.events, log: silentLogger };
    const limits = { maxInFlight: 10_000, maxInFlightBytes: 2 ** 26 };
    const session = await this.transport.open({ ...defaults, ...limits, ...options }, this.deadline);
    this.session = session as MemorySession;
    return this;
  }

  /** A second session on the same broker. */
  sibling(options: Partial<SessionOptions> = {}): Promise<Bench> {
    return new Bench(this.transport, this.clock).open(options);
  }

  declare(sketch: PlanSketch): Promise<void> {
    return this.session.declarePlan({ own: plan(sketch) }, 'declare');
  }

  publish(to: string, body = '', properties: MessageProperties = {}): Promise<unknown> {
    return this.session.publish(outgoing(to, body, properties));
  }

  send(to: string, body = '', properties: MessageProperties = {}): Promise<unknown> {
    return this.session.publish({ ...outgoing(to, body, properties), mustRoute: true });
  }

  async consume(queue: string, settle: (delivery: Delivery) => void, prefetch = 10): Promise<Collector> {
    const collector = new Collector(settle);
    collector.consumer = await this.session.consume(queue, { prefetch }, collector);
    return collector;
  }

  /** Bodies of what waits in `queue`, in order; it is taken out. */
  async drained(queue: string): Promise<string[]> {
    return (await this.taken(queue)).map(({ body }) => body.toString());
  }

  async taken(queue: string): Promise<Delivery[]> {
    const collector = await this.consume(queue, ack, 65_535);
    await this.clock.settle();
    await collector.consumer.close();
    return collector.deliveries;
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

/** @param to exchange and routing key: `events/order.placed` */
export function outgoing(to: string, body = '', properties: MessageProperties = {}): OutgoingMessage {
  const slash = to.indexOf('/');
  return {
    to: 'exchange',
    exchange: to.slice(0, slash),
    routingKey: to.slice(slash + 1),
    body: Buffer.from(body),
    ...outgoingFields(properties),
    mustRoute: false,
    deadlineMs: 30_000,
  };
}

export function openBench(clock = new ManualClock()): Promise<Bench> {
  return new Bench(memory({ clock: clock as Clock }), clock).open();
}
