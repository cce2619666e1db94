import { StoppedError } from '../../errors.js';
import type { OutgoingMessage } from '../../message/message.js';
import type { Published } from '../../message/published.js';
import { planBus } from '../../topology/build.js';
import type { BusTopology, TopologyMode } from '../../topology/bus-topology.js';
import { Generations } from '../../topology/generations.js';
import { deadQueueOf } from '../../topology/names.js';
import type { BrokerTopology, ProcessQueuePlan } from '../../topology/plan.js';
import { systemClock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { EventLoopLag } from '../../util/event-loop-lag.js';
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
import type {
  BrokerInfo,
  ConsumeOptions,
  Consumer,
  DeliverySink,
  Session,
  SessionOptions,
} from '../transport.js';
import { brokerInfoOf } from './connection/broker-features.js';
import type { ChannelError } from './connection/channel.js';
import type { Connection, ConnectionListener } from './connection/connection.js';
import { connectionTeller } from './connection/connection-teller.js';
import { type Connections, liveOn, openSpare } from './connection/connections.js';
import { probeOf } from './connection/probe.js';
import { ToldOutages } from './connection/told-outages.js';
import { AmqpConsumer } from './consume/consumer.js';
import { consumerTeller } from './consume/consumer-teller.js';
import { holdFirst } from './consume/hold.js';
import { AmqpListener } from './consume/listener.js';
import { PassingQueue } from './consume/passing-queue.js';
import { ProcessConsumer } from './consume/process-consumer.js';
import { refusedForeign, refusedToConsume, refusedToListen } from './consume/refused-to-consume.js';
import { suspectTeller } from './consume/suspect-teller.js';
import { AmqpPublisher } from './publish/publisher.js';
import { AmqpRequests } from './publish/requests.js';
import { toItsNextQueue, toItsQueue } from './publish/to-queue.js';
import { browse } from './topology/browse.js';
import { Declarations } from './topology/declarations.js';
import { warnOfIgnored } from './topology/ignored-arguments.js';
import { inspectQueue, peekFirst } from './topology/inspect.js';
import { purgeQueue } from './topology/purge.js';

/** Deadline for opening or closing a separate connection. */
const ANSWER_DEADLINE_MS = 10_000;

/** One bus on its connections: its publisher, its consumers, its topology. */
export class AmqpSession implements Session {
  private readonly publisher: AmqpPublisher;
  private readonly consumers = new Set<AmqpConsumer>();
  /** Consumers of this process's own queues, by the name that these begin with. */
  private readonly processConsumers = new Map<string, ProcessConsumer>();
  private readonly listenings = new Set<AmqpListener>();
  /** What tells the bus of the connections that it uses. */
  private readonly listeners = new Map<Connection, ConnectionListener>();
  private readonly outages = new ToldOutages();
  private isClosed = false;
  private readonly lag = new EventLoopLag();
  private readonly declarations: Declarations;
  private readonly generations: Generations;
  private requests: AmqpRequests | undefined;

  constructor(
    private readonly connections: Connections,
    private readonly options: SessionOptions,
    private readonly onClosed: (deadline: Deadline) => Promise<void>,
  ) {
    const { names, maxInFlight, maxInFlightBytes, service, events } = options;
    this.lag.start();
    this.tellOf(connections.publish);
    this.publisher = new AmqpPublisher(connections.publish, {
      maxInFlight,
      maxInFlightBytes,
      names,
      onMissingExchange: (exchange) => this.declarations.withExchange(exchange),
      onUnroutable: (address) => this.declarations.withRoute(address),
      elsewhere: (message) => toItsNextQueue(message, this.generations),
      onReopened: (error) => events.emit('channel.reopened', { service, channel: 'publisher', error }),
    });
    this.generations = options.generations ?? new Generations(names);
    this.declarations = new Declarations(connections, this.publisher, this.generations);
    this.generations.onMoved = (queue) => void this.declarations.withQueue(queue).catch(() => {});
    connections.watch.add(this.publisher);
  }

  /** Connects: the consuming connection only for a bus that is known to consume. */
  async connect(deadline: Deadline): Promise<void> {
    const { connections, options } = this;
    await Promise.all([
      connections.publish.connect(deadline),
      options.consumes ? this.consumingConnection(deadline) : undefined,
    ]);
  }

  start(): Promise<void> {
    return this.publisher.start();
  }

  async declare(topology: BusTopology, mode: TopologyMode, deadline: Deadline): Promise<void> {
    await this.declarePlan(planBus(this.options.names, topology), mode, deadline);
  }

  /** The same with a plan in the broker's own terms. */
  async declarePlan(plan: BrokerTopology, mode: TopologyMode, deadline: Deadline): Promise<void> {
    await this.declarations.declare(plan, mode, deadline);
    warnOfIgnored(liveOn(this.connections.asked), plan.own, this.options.log);
    if (plan.delays) await this.connections.prove(this.publisher, probeOf(plan.delays), deadline);
  }

  publish(message: OutgoingMessage): Promise<Published | undefined> {
    const own = message.to === 'queue' && this.processConsumers.get(message.queue);
    if (own) return own.comeBack(message);
    return this.publisher.publish(toItsQueue(message, this.generations));
  }

  async consume(queue: string, options: ConsumeOptions, sink: DeliverySink): Promise<Consumer> {
    const plan = this.declarations.processQueue(queue);
    return plan ? await this.consumeOwn(plan, options, sink) : await this.consumeShared(queue, options, sink);
  }

  private async consumeShared(
    queue: string,
    { prefetch, keptForMs, once = false, singleActive = false }: ConsumeOptions,
    sink: DeliverySink,
  ): Promise<Consumer> {
    const own = once ? await openSpare(this.connections, ANSWER_DEADLINE_MS) : undefined;
    const part = this.declarations.ofConsumer(queue);
    const foreign = this.declarations.foreign(queue);
    const connection = own ?? (await this.consumingConnection());
    const consumer: AmqpConsumer = new AmqpConsumer(connection, {
      ...{ queue, prefetch, keptForMs, once, sink, generations: this.generations },
      counts: () => foreign?.counts ?? this.declarations.isQuorum(queue),
      passing: part && new PassingQueue(part),
      ...{ foreign, singleActive },
      redeclare: async () => {
        // It may be missing because it was migrated.
        await this.generations.refresh();
        await this.declarations.withQueue(queue);
      },
      ...consumerTeller(queue, this.options, foreign && refusedForeign),
      onClosed: () => {
        if (this.consumers.delete(consumer) && !once) this.connections.watch.consumers -= 1;
        this.connections.suspects.remove(consumer);
        void own?.close(new Deadline(systemClock, ANSWER_DEADLINE_MS));
      },
    });
    if (!once) this.connections.suspects.add(consumer, suspectTeller(queue, this.options));
    try {
      await consumer.start();
    } catch (error) {
      await consumer.close();
      // The queue was declared by someone else as a classic one, which refuses this argument from 4.3 on.
      if (keptForMs !== undefined && /x-consumer-timeout/.test((error as Error).message))
        return this.consumeShared(queue, { prefetch, once, singleActive }, sink);
      throw (foreign ? refusedForeign : refusedToConsume)(queue, error as ChannelError);
    }
    this.consumers.add(consumer);
    if (!once) this.connections.watch.consumers += 1;
    return consumer;
  }

  /** Suspects have no part in it: a message that ends the connection goes with its queue. */
  private async consumeOwn(
    plan: ProcessQueuePlan,
    { prefetch }: ConsumeOptions,
    sink: DeliverySink,
  ): Promise<Consumer> {
    const { connections, options, processConsumers } = this;
    const consumer: ProcessConsumer = new ProcessConsumer(await this.consumingConnection(), {
      ...{ plan, prefetch, sink, session: options },
      redeclare: async () => {
        await this.declarations.withQueue(deadQueueOf(plan.name));
      },
      onClosed: () => {
        if (processConsumers.delete(plan.name)) connections.watch.consumers -= 1;
      },
    });
    // Registered before it starts: deliveries come with the broker's answer, and what fails of them has to find it.
    processConsumers.set(plan.name, consumer);
    connections.watch.consumers += 1;
    await consumer.start();
    return consumer;
  }

  async hold(queue: string, deadline: Deadline): Promise<Held | undefined> {
    return await holdFirst(liveOn(await this.consumingConnection(deadline)), this.nameOf(queue), deadline);
  }

  async listen(source: ListenSource, listener: Listener): Promise<Listening> {
    const { exchange } = source;
    const failed = (error: Error) =>
      this.options.log.warn({ exchange, error }, 'can not listen at the moment');
    const connection = await this.consumingConnection();
    const listening = new AmqpListener(connection, source, listener, failed);
    // Registered before it listens: a session that closes meanwhile closes it, too.
    this.listenings.add(listening);
    const close = () => {
      this.listenings.delete(listening);
      return listening.close();
    };
    try {
      await listening.start();
      return { close };
    } catch (error) {
      await close();
      throw refusedToListen(source, error as ChannelError);
    }
  }

  openRequests(sink: ReplySink): Requests {
    const { names, service, events } = this.options;
    this.requests = new AmqpRequests(this.connections.publish, sink, {
      names,
      onMissingExchange: (exchange) => this.declarations.withExchange(exchange),
      onReopened: (error) => events.emit('channel.reopened', { service, channel: 'requests', error }),
    });
    return this.requests;
  }

  get brokerInfo(): BrokerInfo {
    return brokerInfoOf(liveOn(this.connections.asked).connection.serverProperties);
  }

  async purge(queue: string): Promise<number> {
    return await purgeQueue(await this.connections.live(), this.nameOf(queue));
  }

  async peek(queue: string): Promise<Peeked | undefined> {
    return await peekFirst(await this.connections.live(), this.nameOf(queue));
  }

  async browse(queue: string, most: number): Promise<readonly Browsed[] | undefined> {
    const onlyClassic = !this.brokerInfo.peekIsFree;
    return await browse(this.connections.spare(), this.nameOf(queue), { most, onlyClassic });
  }

  async inspect(queue: string): Promise<QueueState | undefined> {
    const name = this.nameOf(queue);
    const state = await inspectQueue(this.connections, name);
    if (state || this.options.names.isOwnQueue(queue)) return state;
    // It may have been migrated meanwhile.
    await this.generations.refresh();
    return this.nameOf(queue) === name ? undefined : await this.inspect(queue);
  }

  private nameOf(queue: string): string {
    return this.generations.nameOf(queue);
  }

  drain(deadline: Deadline): Promise<void> {
    return this.publisher.drain(deadline);
  }

  async close(deadline: Deadline): Promise<void> {
    this.isClosed = true;
    const closing = Promise.all([
      this.publisher.close(),
      this.requests?.close(),
      ...[...this.consumers, ...this.processConsumers.values(), ...this.listenings].map((each) =>
        each.close(),
      ),
    ]);
    await deadline.race(closing, () => new Error('late')).catch(() => {});
    for (const [connection, listener] of this.listeners) connection.unlisten(listener);
    this.declarations.close();
    this.connections.watch.remove(this.publisher);
    this.lag.stop();
    await this.onClosed(deadline);
  }

  /** Opened by the first that consumes, listens or holds, whose bus is told of it from then on. */
  private async consumingConnection(
    deadline = new Deadline(systemClock, ANSWER_DEADLINE_MS),
  ): Promise<Connection> {
    const { consume } = this.connections;
    if (!this.isClosed) this.tellOf(consume);
    await this.connections.openConsume(deadline);
    // Another bus may keep the connection.
    if (this.isClosed) throw new StoppedError('consume');
    return consume;
  }

  private tellOf(connection: Connection): void {
    if (this.listeners.has(connection)) return;
    const teller = connectionTeller(connection, this.options, this.lag, this.outages);
    this.listeners.set(connection, teller);
    connection.listen(teller);
  }
}
