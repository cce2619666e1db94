import { StoppedError, TopologyError } from '../../errors.js';
import type { ConnectionRole } from '../../events.js';
import type { OutgoingMessage } from '../../message/message.js';
import type { Published } from '../../message/published.js';
import { addressOf, isMandatory } from '../../topology/address.js';
import { planBus } from '../../topology/build.js';
import type { BusTopology, TopologyMode } from '../../topology/bus-topology.js';
import {
  type BrokerTopology,
  consumersPart,
  type ProcessQueuePlan,
  processQueueIn,
  type TopologyPlan,
} from '../../topology/plan.js';
import type { Deadline } from '../../util/deadline.js';
import { Line } from '../../util/line.js';
import type {
  Browsed,
  Held,
  Listener,
  Listening,
  ListenSource,
  Peeked,
  QueueState,
} from '../operator-session.js';
import type { ReplySink, Requests } from '../requests.js';
import type { ConsumeOptions, Consumer, DeliverySink, Session, SessionOptions } from '../transport.js';
import type { Broker } from './broker.js';
import { MemoryConsumer } from './consumer.js';
import { declareForConsumer, declareTopology, existing } from './declare.js';
import { MemoryHeld } from './held.js';
import { MemoryListener } from './listener.js';
import { MemoryProcessConsumer } from './process-consumer.js';
import type { Queue } from './queue.js';
import { MemoryRequests } from './replies/requests.js';
import { storedMessage } from './stored-message.js';

/**
 * One bus's use of the broker. Nothing here is slow: a confirm, the slowest part, comes in the next turn of the
 * event loop. So the port's deadlines are always met, and of its limits only the number of unconfirmed
 * publishes is applied. (Their bytes are in the broker in any case.)
 */
export class MemorySession implements Session {
  private readonly consumers: MemoryConsumer[] = [];
  /** Consumers of the queues that a process makes for itself, by the name that these begin with. */
  private readonly processConsumers = new Map<string, MemoryProcessConsumer>();
  private readonly held = new Set<MemoryHeld>();
  private readonly listenings: MemoryListener[] = [];
  private readonly plans: TopologyPlan[] = [];
  private requests: MemoryRequests | undefined;
  private inFlight = 0;
  private readonly waitingForRoom = new Line<() => void>();
  private isDraining = false;
  private isClosed = false;
  private isConsuming = false;

  constructor(
    private readonly broker: Broker,
    private readonly options: SessionOptions,
  ) {
    broker.join();
    this.connected('publish');
    if (options.consumes) this.consumes();
  }

  async declare(topology: BusTopology, mode: TopologyMode): Promise<void> {
    await this.declarePlan(planBus(this.options.names, topology), mode);
  }

  /** The same with a plan in RabbitMQ's terms. */
  async declarePlan(plan: BrokerTopology, mode: TopologyMode): Promise<void> {
    if (this.isClosed) throw new StoppedError('declare');
    declareTopology(this.broker, plan, mode);
    this.plans.push(plan.own);
  }

  async publish(message: OutgoingMessage): Promise<Published | undefined> {
    if (this.isDraining) throw new StoppedError('publish');
    const address = addressOf(this.options.names, message);
    const stored = storedMessage(message, address);
    const own = message.to === 'queue' ? this.processConsumers.get(message.queue) : undefined;
    if (this.inFlight < this.options.maxInFlight) this.inFlight += 1;
    else await new Promise<void>((resolve) => this.waitingForRoom.push(resolve));
    try {
      if (own) own.comeBack(stored, message.delayMs ?? 0);
      else this.broker.publish(stored, isMandatory(message, address));
      await this.broker.turns.pass();
      return message.receipt;
    } finally {
      this.leaveRoom();
    }
  }

  async consume(queue: string, options: ConsumeOptions, sink: DeliverySink): Promise<Consumer> {
    if (this.isClosed) throw new StoppedError('consume');
    this.consumes();
    const plan = processQueueIn(this.plans, queue);
    const consumer = plan ? this.consumeOwn(plan, options, sink) : this.consumeShared(queue, options, sink);
    this.options.events.emit('consumer.started', { service: this.options.service, queue });
    return consumer;
  }

  private consumeShared(
    queue: string,
    { prefetch, singleActive }: ConsumeOptions,
    sink: DeliverySink,
  ): Consumer {
    const declare = this.declarationOf(queue);
    const found = declare?.() ?? existing(this.broker.queues, 'queue', queue);
    const consumer = new MemoryConsumer(found, sink, prefetch, declare, singleActive);
    this.consumers.push(consumer);
    return consumer;
  }

  private consumeOwn(plan: ProcessQueuePlan, { prefetch }: ConsumeOptions, sink: DeliverySink): Consumer {
    const { broker, options, processConsumers } = this;
    const consumer = new MemoryProcessConsumer(broker, { ...options, plan, prefetch, sink });
    processConsumers.set(plan.name, consumer);
    return consumer;
  }

  async hold(name: string, deadline: Deadline): Promise<Held | undefined> {
    if (this.isClosed) throw new StoppedError('hold');
    this.consumes();
    const queue = existing(this.broker.queues, 'queue', name);
    if (queue.ready === 0 && queue.consumerCount === 0) return undefined;
    const held = new MemoryHeld(queue, () => this.held.delete(held));
    this.held.add(held);
    await held.arrived(deadline);
    return held;
  }

  async listen(source: ListenSource, listener: Listener): Promise<Listening> {
    if (this.isClosed) throw new StoppedError('listen');
    this.consumes();
    const listening = new MemoryListener(this.broker, source, listener);
    this.listenings.push(listening);
    return listening;
  }

  openRequests(sink: ReplySink): Requests {
    if (this.isClosed) throw new StoppedError('request');
    this.requests = new MemoryRequests(this.broker, this.options.names, sink);
    return this.requests;
  }

  readonly brokerInfo = {
    product: 'Hopline in memory',
    version: '1.0.0',
    cluster: undefined,
    consumerTimeoutBy: 'nobody',
    peekIsFree: true,
  } as const;

  async purge(name: string): Promise<number> {
    if (this.isClosed) throw new StoppedError('purge');
    const queue = this.broker.queues.get(name);
    if (!queue) throw new TopologyError(`queue '${name}'`, `there is no queue '${name}'`, 'Check the name.');
    return queue.purge();
  }

  async inspect(name: string): Promise<QueueState | undefined> {
    if (this.isClosed) throw new StoppedError('inspect');
    const queue = this.broker.queues.get(name);
    return queue && { ready: queue.ready, consumers: queue.consumerCount };
  }

  async peek(name: string): Promise<Peeked | undefined> {
    if (this.isClosed) throw new StoppedError('peek');
    return this.broker.queues.get(name)?.peek();
  }

  async browse(name: string, most: number): Promise<readonly Browsed[] | undefined> {
    if (this.isClosed) throw new StoppedError('browse');
    return this.broker.queues.get(name)?.browse(most);
  }

  async drain(): Promise<void> {
    this.isDraining = true;
    while (this.inFlight > 0) await this.broker.turns.pass();
  }

  async close(): Promise<void> {
    await this.drain();
    if (this.isClosed) return;
    this.isClosed = true;
    // All consumers stop before any returns its deliveries: another one would get them otherwise.
    for (const consumer of this.consumers) await consumer.cancel();
    for (const consumer of this.consumers) consumer.giveBack();
    for (const consumer of this.processConsumers.values()) await consumer.close();
    for (const held of this.held) held.requeue();
    for (const listening of this.listenings) await listening.close();
    this.requests?.close();
    this.broker.leave();
  }

  /** Declares a queue that goes with its consumers; undefined for any other. */
  private declarationOf(queue: string): (() => Queue) | undefined {
    const [part] = this.plans.flatMap((plan) => consumersPart(plan, queue) ?? []);
    return part && (() => declareForConsumer(this.broker, part));
  }

  /** As on a real broker, a bus that only publishes has one connection. */
  private consumes(): void {
    if (this.isConsuming) return;
    this.isConsuming = true;
    this.connected('consume');
  }

  private connected(connection: ConnectionRole): void {
    const { events, service } = this.options;
    events.emit('connection.up', { service, connection, address: 'memory' });
  }

  /** Gives the slot to the longest waiting publish, so that a newcomer can't take it first. */
  private leaveRoom(): void {
    const next = this.waitingForRoom.shift();
    if (next) next();
    else this.inFlight -= 1;
  }
}
