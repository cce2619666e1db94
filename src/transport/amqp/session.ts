import type { ChannelModel } from 'amqplib';
import { ConnectError, HoplineError, TopologyError } from '../../errors.js';
import type { OutgoingMessage } from '../../message/message.js';
import { topicMatches } from '../../message/topic.js';
import type { BusTopology, SharedPlan, TopologyMode, TopologyPlan } from '../../topology/plan.js';
import { systemClock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { EventLoopLag } from '../../util/event-loop-lag.js';
import type {
  BrokerInfo,
  ConsumeOptions,
  Consumer,
  DeliverySink,
  Held,
  Listener,
  Listening,
  ListenSource,
  QueueState,
  SessionOptions,
  TransportSession,
} from '../transport.js';
import { brokerFeatures, requireFeatures } from './broker-features.js';
import type { ChannelError } from './channel.js';
import type { Connection, ConnectionListener } from './connection.js';
import { connectionTeller } from './connection-teller.js';
import { AmqpConsumer } from './consumer.js';
import { declarePlan, declareShared } from './declare.js';
import { holdFirst } from './hold.js';
import { inspectQueue } from './inspect.js';
import { reachedLimit } from './limits.js';
import { AmqpListener } from './listener.js';
import { AmqpPublisher } from './publisher.js';
import { purgeQueue } from './purge.js';
import { suspectTeller } from './suspect-teller.js';
import { Suspects } from './suspects.js';
import { keepWordsOfRefusal } from './words-of-refusal.js';

/** The two connections that the sessions of one transport share: the broker stops reading a blocked one, acks included. */
export interface Connections {
  readonly publish: Connection;
  readonly consume: Connection;
  /** A new one, not open yet, for what is better consumed apart. */
  spare(): Connection;
  /** Queues of the consuming one that may end it; made by the first session. */
  suspects?: Suspects;
}

/** How long a connection apart may take to open, or to close. */
const ANSWER_DEADLINE_MS = 10_000;

/** What has been declared, to be declared again when somebody deletes it. */
interface Declared {
  readonly plan: TopologyPlan;
  readonly delays: SharedPlan | undefined;
  readonly mode: TopologyMode;
  /** Under way. */
  mending?: Promise<void> | undefined;
}

/** One bus on two connections: its publisher, its consumers, its topology. */
export class AmqpSession implements TransportSession {
  private readonly publisher: AmqpPublisher;
  private readonly consumers = new Set<AmqpConsumer>();
  private readonly listenings = new Set<AmqpListener>();
  private readonly listeners: (readonly [Connection, ConnectionListener])[];
  private readonly lag = new EventLoopLag();
  private declared: Declared[] = [];
  /** Why the consuming connection went last. */
  private lastLoss: Error | undefined;

  constructor(
    private readonly connections: Connections,
    private readonly options: SessionOptions,
    private readonly onClosed: (deadline: Deadline) => Promise<void>,
  ) {
    const { maxInFlight, maxInFlightBytes, service, events } = options;
    keepWordsOfRefusal();
    connections.suspects ??= new Suspects(connections);
    this.lag.start();
    this.listeners = [connections.publish, connections.consume].map(
      (connection) => [connection, connectionTeller(connection, options, this.lag)] as const,
    );
    const lost = (error: Error) => {
      this.lastLoss = error;
    };
    const watch = { up: () => {}, down: lost, blocked: () => {}, unblocked: () => {} };
    this.listeners.push([connections.consume, watch]);
    for (const [connection, listener] of this.listeners) connection.listen(listener);
    this.publisher = new AmqpPublisher(connections.publish, {
      maxInFlight,
      maxInFlightBytes,
      onMissingExchange: (exchange) => this.declareAgain((plan) => has(plan, exchange)),
      onUnroutable: (message) => this.declareAgain((plan) => routes(plan, message)),
      onReopened: (error) => events.emit('channel.reopened', { service, channel: 'publisher', error }),
    });
  }

  start(): Promise<void> {
    return this.publisher.start();
  }

  async declare(topology: BusTopology, mode: TopologyMode, deadline: Deadline): Promise<void> {
    await this.declareOnLive(topology, mode, deadline);
    this.declared.push({ plan: topology.own, delays: topology.delays, mode });
  }

  publish(message: OutgoingMessage): Promise<void> {
    return this.publisher.publish(message);
  }

  async consume(
    queue: string,
    { prefetch, once = false }: ConsumeOptions,
    sink: DeliverySink,
  ): Promise<Consumer> {
    const { service, events, log } = this.options;
    // What it is handed may end its connection, which is nobody else's then.
    const own = once ? this.connections.spare() : undefined;
    await own?.connect(new Deadline(systemClock, ANSWER_DEADLINE_MS));
    const consumer: AmqpConsumer = new AmqpConsumer(own ?? this.connections.consume, {
      queue,
      counts: this.declared.some(({ plan }) => isQuorum(plan, queue)),
      prefetch,
      once,
      sink,
      redeclare: async () => {
        await this.declareAgain(({ queues }) => queues.some(({ name }) => name === queue));
      },
      onStarted: () => events.emit('consumer.started', { service, queue }),
      onLost: (error) => events.emit('consumer.lost', { service, queue, error }),
      onCancelled: (reason) => {
        log.warn({ queue, reason }, 'a consumer was cancelled; the queue is declared and consumed again');
        events.emit('consumer.cancelled', { service, queue, reason });
      },
      onRestored: () => events.emit('consumer.restored', { service, queue }),
      onReopened: (error) => {
        log.warn(
          { queue, error },
          isConsumerTimeout(error)
            ? "a message was kept longer than the broker's consumer_timeout: its channel was closed and opened again, and what it had not settled is delivered again"
            : 'a channel died and was opened again; what it had not settled is delivered again',
        );
        events.emit('channel.reopened', { service, channel: queue, error });
      },
      onFailed: (error) => this.consumingFailed(queue, error),
      onClosed: () => {
        this.consumers.delete(consumer);
        this.connections.suspects?.remove(consumer);
        void own?.close(new Deadline(systemClock, ANSWER_DEADLINE_MS));
      },
    });
    if (!once) this.connections.suspects?.add(consumer, suspectTeller(queue, this.options));
    try {
      await consumer.start();
    } catch (error) {
      await consumer.close();
      throw this.refusedToConsume(queue, error as ChannelError);
    }
    this.consumers.add(consumer);
    return consumer;
  }

  async hold(queue: string, deadline: Deadline): Promise<Held | undefined> {
    return await holdFirst(this.live(), queue, deadline);
  }

  async listen(source: ListenSource, listener: Listener): Promise<Listening> {
    const { exchange } = source;
    const failed = (error: Error) =>
      this.options.log.warn({ exchange, error }, 'can not listen at the moment');
    const listening = new AmqpListener(this.connections.consume, source, listener, failed);
    // Before it hears: a session that closes meanwhile closes it, too.
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

  get brokerInfo(): BrokerInfo {
    const announced: Readonly<Record<string, unknown>> = this.live().connection.serverProperties;
    const { product, version, cluster_name: cluster } = announced;
    return {
      product: String(product),
      version: String(version),
      cluster: typeof cluster === 'string' ? cluster : undefined,
    };
  }

  async purge(queue: string): Promise<number> {
    return await purgeQueue(this.live(), queue);
  }

  async inspect(queue: string): Promise<QueueState | undefined> {
    return await inspectQueue(this.live(), queue);
  }

  drain(deadline: Deadline): Promise<void> {
    return this.publisher.drain(deadline);
  }

  async close(deadline: Deadline): Promise<void> {
    const closing = Promise.all([
      this.publisher.close(),
      ...[...this.consumers, ...this.listenings].map((each) => each.close()),
    ]);
    await deadline.race(closing, () => new Error('late')).catch(() => {});
    for (const [connection, listener] of this.listeners) connection.unlisten(listener);
    this.lag.stop();
    await this.onClosed(deadline);
  }

  /** Declares on the consuming connection: in an alarm the broker reads nothing from one that publishes. */
  private live(): ChannelModel {
    const { model } = this.connections.consume;
    if (!model)
      throw new ConnectError(
        'there is no connection to the broker at the moment',
        'Try again when it is back.',
      );
    return model;
  }

  /** A connection that goes meanwhile refuses nothing: what is there already is declared on the next one again. */
  private async declareOnLive(topology: BusTopology, mode: TopologyMode, deadline: Deadline): Promise<void> {
    const { consume } = this.connections;
    for (;;) {
      await consume.whenUp(deadline);
      const model = this.live();
      try {
        await deadline.race(declareOn(model, topology, mode), noAnswer);
        return;
      } catch (error) {
        if (error instanceof HoplineError) throw error;
        if (consume.model === model) throw cantDeclare(error as Error);
        // It would go again.
        const { lastLoss } = this;
        if (lastLoss && reachedLimit(lastLoss.message)) throw cantDeclare(lastLoss);
      }
    }
  }

  /** True if what `concerns` names was declared again. */
  private async declareAgain(concerns: (plan: TopologyPlan) => boolean): Promise<boolean> {
    const concerned = this.declared.filter(
      ({ mode, plan, delays }) => mode === 'declare' && (concerns(plan) || (delays && concerns(delays))),
    );
    await Promise.all(concerned.map((declared) => this.mend(declared)));
    return concerned.length > 0;
  }

  /** Once for all who miss something of it at the same time. */
  private mend(declared: Declared): Promise<void> {
    declared.mending ??= this.declareWhole(declared).finally(() => {
      declared.mending = undefined;
    });
    return declared.mending;
  }

  private async declareWhole({ plan, delays }: Declared): Promise<void> {
    // The delays' marker may be there though another of their exchanges is gone.
    if (delays) await declarePlan(this.live(), delays, 'declare');
    await declarePlan(this.live(), plan, 'declare');
  }

  private consumingFailed(queue: string, error: ChannelError): void {
    const { service, events, log } = this.options;
    log.warn({ queue, error }, 'a queue cannot be consumed at the moment; trying again');
    const refused = this.refusedToConsume(queue, error);
    events.emit('consumer.failed', { service, queue, error: refused });
    if (error instanceof TopologyError || error.code === 403)
      events.emit('topology.failed', { service, error: refused });
  }

  private refusedToConsume(queue: string, error: ChannelError): Error {
    // What was refused on the way there has been explained already.
    if (error instanceof HoplineError) return error;
    if (error.code === undefined) return notPossible(`queue '${queue}' can't be consumed`, error);
    const help =
      error.code === 403
        ? `Give the user the right to read '${queue}'.`
        : 'Look whether another consumer holds the queue exclusively, or whether it was deleted.';
    return new TopologyError(
      `queue '${queue}'`,
      `queue '${queue}' can't be consumed: ${error.message}`,
      help,
      { cause: error },
    );
  }
}

async function declareOn(
  model: ChannelModel,
  { own, delays }: BusTopology,
  mode: TopologyMode,
): Promise<void> {
  // In every mode: what the broker silently doesn't do is wrong however the queue came to be.
  requireFeatures(own, brokerFeatures(model.connection.serverProperties));
  // The delays first: queues are bound to their last exchange.
  if (delays) await declareShared(model, delays, mode);
  await declarePlan(model, own, mode);
}

const noAnswer = () =>
  new ConnectError(
    'the broker did not answer in time while the topology was declared',
    'Look at the load and the alarms of the broker.',
  );

const cantDeclare = (cause: Error) => notPossible("the topology can't be declared", cause);

/** Without a code of the broker's: the connection, or a limit, is in the way. */
function notPossible(what: string, cause: Error): ConnectError {
  const limit = reachedLimit(cause.message);
  if (limit) return new ConnectError(`${what}: ${limit.what} (${cause.message})`, limit.help, { cause });
  const help = 'Look at the load and the alarms of the broker, and at its limit of channels.';
  return new ConnectError(`${what}: ${cause.message}`, help, { cause });
}

function refusedToListen({ exchange }: ListenSource, cause: ChannelError): Error {
  const message = `can't listen to exchange '${exchange}': ${cause.message}`;
  if (cause.code === undefined) return notPossible(`can't listen to exchange '${exchange}'`, cause);
  const help = 'Give the user the rights that `hopline topology permissions` names.';
  return new TopologyError(`exchange '${exchange}'`, message, help, { cause });
}

/** As RabbitMQ words it before 4.3; later it cancels the consumer of a quorum queue instead. */
const isConsumerTimeout = ({ message }: Error) => /delivery acknowledgement .*timed out/.test(message);

function has({ exchanges }: TopologyPlan, name: string): boolean {
  return exchanges.some((exchange) => exchange.name === name);
}

/** On paper. Exchanges of ours are topic or direct, and no name of a queue holds a wildcard. */
function routes({ bindings }: TopologyPlan, { exchange, routingKey }: OutgoingMessage): boolean {
  return bindings.some(({ source, pattern }) => source === exchange && topicMatches(pattern, routingKey));
}

function isQuorum({ queues }: TopologyPlan, name: string): boolean {
  return queues.some((queue) => queue.name === name && queue.arguments['x-queue-type'] === 'quorum');
}
