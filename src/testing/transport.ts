import type { ExchangeRef } from '../message/exchange-option.js';
import type { OutgoingMessage } from '../message/message.js';
import type { Published } from '../message/published.js';
import type { BusTopology, QueueNeeds, TopologyMode } from '../topology/bus-topology.js';
import type { BrokerTopology } from '../topology/plan.js';
import type { MemoryDelivery } from '../transport/memory/delivery.js';
import { MemorySession } from '../transport/memory/session.js';
import type {
  Browsed,
  Held,
  Listener,
  Listening,
  ListenSource,
  Peeked,
  QueueState,
} from '../transport/operator-session.js';
import type { ReplySink, Requests } from '../transport/requests.js';
import type {
  BrokerInfo,
  ConsumeOptions,
  Consumer,
  DeliverySink,
  Session,
  SessionOptions,
  Transport,
} from '../transport/transport.js';
import type { Deadline } from '../util/deadline.js';
import { formatMs } from '../util/duration.js';
import { KitDelivery, originOf } from './delivery.js';
import { type AckFault, firstFault } from './exploring/faults.js';
import { KitPublishes, type KitPublishesOptions, nobodyLeft, type User } from './publishes.js';
import { KitRequests } from './requests.js';
import { comeAgain, payloadOf, type World } from './world.js';

/** Longest time until a broker detects by heartbeats that a connection is gone. */
const LATE_MS = 20_000;

export interface KitTransportOptions extends Pick<KitPublishesOptions, 'maxAtOneMoment'> {
  /** Declares everything in every mode: the broker is empty, and nobody else declares anything. */
  readonly declaresAll?: boolean;
}

/** The memory transport with the faults that are possible on a real one. */
export class KitTransport implements Transport {
  readonly kind = 'memory';
  session: KitSession | undefined;

  constructor(
    private readonly world: World,
    private readonly user: User,
    private readonly options: KitTransportOptions = {},
  ) {}

  get clock(): World['clock'] {
    return this.world.clock;
  }

  async open(options: SessionOptions): Promise<Session> {
    const { world, user } = this;
    this.session = new KitSession(new MemorySession(world.broker, options), { world, user, ...this.options });
    return this.session;
  }
}

class KitSession implements Session {
  isDead = false;
  readonly deliveries = new Set<KitDelivery>();
  private readonly consumers: Consumer[] = [];
  private readonly publishes: KitPublishes;
  /** Key: queue and messageId. */
  private readonly payloads = new Map<string, unknown>();

  private readonly world: World;

  constructor(
    private readonly inner: MemorySession,
    private readonly options: KitTransportOptions & { world: World; user: User },
  ) {
    this.world = options.world;
    this.publishes = new KitPublishes(inner, this, options);
  }

  get brokerInfo(): BrokerInfo {
    return this.inner.brokerInfo;
  }

  purge(queue: string): Promise<number> {
    return this.inner.purge(queue);
  }

  peek(queue: string): Promise<Peeked | undefined> {
    return this.inner.peek(queue);
  }

  browse(queue: string, most: number): Promise<readonly Browsed[] | undefined> {
    return this.inner.browse(queue, most);
  }

  inspect(queue: string): Promise<QueueState | undefined> {
    return this.inner.inspect(queue);
  }

  declare(topology: BusTopology, mode: TopologyMode): Promise<void> {
    if (!this.options.declaresAll) return this.inner.declare(topology, mode);
    const owned = {
      ...topology,
      exchanges: topology.exchanges.map(ours),
      queues: topology.queues.map(bound),
    };
    return this.inner.declare(owned, 'declare');
  }

  /** A plan in RabbitMQ's terms, as of the memory transport. */
  declarePlan(plan: BrokerTopology, mode: TopologyMode): Promise<void> {
    return this.inner.declarePlan(plan, mode);
  }

  publish(message: OutgoingMessage): Promise<Published | undefined> {
    return this.isDead ? nobodyLeft() : this.publishes.publish(message);
  }

  async consume(queue: string, options: ConsumeOptions, sink: DeliverySink): Promise<Consumer> {
    const consumer = await this.inner.consume(queue, options, {
      deliver: (delivery) => this.deliver(delivery as MemoryDelivery, sink),
      lost: (reason) => sink.lost(reason),
      missed: (since) => sink.missed?.(since),
    });
    this.consumers.push(consumer);
    return consumer;
  }

  hold(queue: string, deadline: Deadline): Promise<Held | undefined> {
    return this.inner.hold(queue, deadline);
  }

  listen(source: ListenSource, listener: Listener): Promise<Listening> {
    return this.inner.listen(source, listener);
  }

  openRequests(sink: ReplySink): Requests {
    return new KitRequests(this.world, this.publishes, this, (own) => this.inner.openRequests(own), sink);
  }

  async drain(): Promise<void> {
    await this.inner.drain();
    // The inner publishes have ended; the outer ones follow some promises later.
    while (this.publishes.inFlight > 0) await this.world.broker.turns.pass();
  }

  async close(): Promise<void> {
    await this.inner.close();
    for (const delivery of this.deliveries) this.world.flow.settled(delivery);
    this.deliveries.clear();
  }

  /** Ends the process: nothing it does has an effect any more, and its deliveries go back to their queues. */
  async die(): Promise<void> {
    this.isDead = true;
    for (const delivery of this.deliveries) this.world.flow.settled(delivery);
    this.deliveries.clear();
    // All consumers stop before any returns its deliveries: another one would get them otherwise.
    await Promise.all(this.consumers.map((consumer) => consumer.cancel()));
    await this.inner.close();
  }

  /** Payload of the last message with this id that was delivered from this queue. */
  payloadFor(queue: string, messageId: string | undefined): unknown {
    return this.payloads.get(`${queue} ${messageId}`);
  }

  acked(delivery: KitDelivery): void {
    const { routingKey } = originOf(delivery);
    const fault = firstFault(this.world.faults, (each) => each.onAck({ routingKey })) as AckFault | undefined;
    if (fault === 'crash-before-ack') {
      this.options.user.onCrash(`before '${routingKey}' was acked`);
      return;
    }
    this.forget(delivery);
    if (fault) {
      const late = fault === 'ack-lost-late' ? ` in ${formatMs(LATE_MS)}` : '';
      this.world.journal.note(`fault: the ack of '${routingKey}' was lost: it is delivered again${late}`);
    }
    if (fault === 'ack-lost') {
      delivery.inner.requeue();
      return;
    }
    delivery.inner.ack();
    if (fault === 'ack-lost-late') this.world.clock.setTimer(() => comeAgain(this.world, delivery), LATE_MS);
    else if (delivery.state !== 'copied') this.world.handled.push(delivery);
  }

  requeued(delivery: KitDelivery): void {
    this.forget(delivery);
    delivery.inner.requeue();
  }

  rejected(delivery: KitDelivery): void {
    this.forget(delivery);
    delivery.inner.reject();
  }

  private deliver(inner: MemoryDelivery, sink: DeliverySink): void {
    // Left to the broker, which returns it when the session ends.
    if (this.isDead || this.world.flow.broken) return;
    const redelivered = inner.redelivered || this.world.again.has(inner.queued.message);
    const delivery = new KitDelivery(inner, redelivered, this);
    this.deliveries.add(delivery);
    this.payloads.set(`${delivery.queue} ${delivery.messageId}`, payloadOf(this.world, delivery));
    this.world.flow.delivered(delivery);
    sink.deliver(delivery);
  }

  private forget(delivery: KitDelivery): void {
    this.deliveries.delete(delivery);
    this.world.flow.settled(delivery);
  }
}

const ours = (exchange: ExchangeRef): ExchangeRef => ({ ...exchange, declare: true });

const bound = (queue: QueueNeeds): QueueNeeds => ({
  ...queue,
  declare: true,
  bindings: queue.bindings.map((needs) => ({ ...needs, exchange: ours(needs.exchange) })),
});
