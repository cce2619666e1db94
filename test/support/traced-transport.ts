import type { OutgoingMessage } from '../../src/message/message.js';
import type { Published } from '../../src/message/published.js';
import { planBus } from '../../src/topology/build.js';
import type { BusTopology, TopologyMode } from '../../src/topology/bus-topology.js';
import type { Names } from '../../src/topology/names.js';
import type { BrokerTopology } from '../../src/topology/plan.js';
import type {
  Browsed,
  Held,
  Listener,
  Listening,
  ListenSource,
  Peeked,
  QueueState,
} from '../../src/transport/operator-session.js';
import type { ReplySink, Requests } from '../../src/transport/requests.js';
import type {
  BrokerInfo,
  ConsumeOptions,
  Consumer,
  Delivery,
  DeliverySink,
  Session,
  SessionOptions,
  Transport,
} from '../../src/transport/transport.js';
import type { Deadline } from '../../src/util/deadline.js';
import type { PlanSession } from './port.js';

/** What went through transports: what a test has to remove, and what it must not leave open. */
export class Trace {
  readonly exchanges = new Set<string>();
  readonly queues = new Set<string>();
  /** By queue. */
  readonly consumers: string[] = [];
  sessions = 0;
  /** Told of each delivery before whoever consumes. */
  onDelivery: (delivery: Delivery) => void = () => {};
  /** Calls whoever consumes, as a tracer does that begins a span for each delivery. */
  around: (delivery: Delivery, deliver: () => void) => void = (_delivery, deliver) => deliver();
  /** Awaited before a queue is consumed. */
  beforeConsuming: (queue: string) => Promise<void> | undefined = () => undefined;
  /** Told of each message when it is published. */
  onPublish: (message: OutgoingMessage) => void = () => {};
  private readonly delivered = new Map<string, number>();

  /** How many deliveries from a queue have come so far. */
  deliveriesOf(queue: string): number {
    return this.delivered.get(queue) ?? 0;
  }

  noteDelivery(delivery: Delivery): void {
    this.delivered.set(delivery.queue, this.deliveriesOf(delivery.queue) + 1);
    this.onDelivery(delivery);
  }

  consumersOf(queue: string): number {
    return this.consumers.filter((each) => each === queue).length;
  }

  forgetConsumer(queue: string): void {
    const index = this.consumers.indexOf(queue);
    if (index >= 0) this.consumers.splice(index, 1);
  }
}

/** A transport that leaves a trace of what is declared, opened and closed through it, and changes nothing else. */
export class TracedTransport implements Transport {
  readonly kind: Transport['kind'];
  readonly clock: Transport['clock'];

  constructor(
    private readonly inner: Transport,
    private readonly trace: Trace,
  ) {
    this.kind = inner.kind;
    this.clock = inner.clock;
  }

  async open(options: SessionOptions, deadline: Deadline): Promise<Session> {
    const session = await this.inner.open(options, deadline);
    this.trace.sessions += 1;
    return new TracedSession(session, this.trace, options.names);
  }
}

class TracedSession implements Session {
  private isOpen = true;

  constructor(
    private readonly inner: Session,
    private readonly trace: Trace,
    private readonly names: Names,
  ) {}

  declare(topology: BusTopology, mode: TopologyMode, deadline: Deadline): Promise<void> {
    this.note(planBus(this.names, topology), mode);
    return this.inner.declare(topology, mode, deadline);
  }

  declarePlan(plan: BrokerTopology, mode: TopologyMode, deadline: Deadline): Promise<void> {
    this.note(plan, mode);
    return (this.inner as PlanSession).declarePlan(plan, mode, deadline);
  }

  private note({ own }: BrokerTopology, mode: TopologyMode): void {
    if (mode !== 'declare') return;
    for (const { name, verifyOnly } of own.exchanges) if (!verifyOnly) this.trace.exchanges.add(name);
    for (const { name } of own.queues) this.trace.queues.add(name);
  }

  publish(message: OutgoingMessage): Promise<Published | undefined> {
    this.trace.onPublish(message);
    return this.inner.publish(message);
  }

  openRequests(sink: ReplySink): Requests {
    return this.inner.openRequests(sink);
  }

  async consume(queue: string, options: ConsumeOptions, sink: DeliverySink): Promise<Consumer> {
    await this.trace.beforeConsuming(queue);
    const consumer = await this.inner.consume(queue, options, {
      deliver: (delivery) => {
        this.trace.noteDelivery(delivery);
        this.trace.around(delivery, () => sink.deliver(delivery));
      },
      lost: (reason) => sink.lost(reason),
      missed: (since) => sink.missed?.(since),
    });
    this.trace.consumers.push(queue);
    const traced = new TracedConsumer(consumer, () => this.trace.forgetConsumer(queue));
    this.consumers.push(traced);
    return traced;
  }

  hold(queue: string, deadline: Deadline): Promise<Held | undefined> {
    return this.inner.hold(queue, deadline);
  }

  listen(source: ListenSource, listener: Listener): Promise<Listening> {
    return this.inner.listen(source, listener);
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

  private readonly consumers: TracedConsumer[] = [];

  drain(deadline: Deadline): Promise<void> {
    return this.inner.drain(deadline);
  }

  async close(deadline: Deadline): Promise<void> {
    await this.inner.close(deadline);
    // A session ends its consumers with it.
    for (const consumer of this.consumers) consumer.forget();
    if (this.isOpen) this.trace.sessions -= 1;
    this.isOpen = false;
  }
}

class TracedConsumer implements Consumer {
  private isOpen = true;

  constructor(
    private readonly inner: Consumer,
    private readonly onClosed: () => void,
  ) {}

  setPrefetch(prefetch: number): Promise<void> {
    return this.inner.setPrefetch(prefetch);
  }

  cancel(): Promise<void> {
    return this.inner.cancel();
  }

  async close(): Promise<void> {
    await this.inner.close();
    this.forget();
  }

  forget(): void {
    if (this.isOpen) this.onClosed();
    this.isOpen = false;
  }
}
