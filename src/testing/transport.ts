import { OutcomeUnknownError } from '../errors.js';
import type { OutgoingMessage } from '../message/message.js';
import type { Published } from '../message/published.js';
import { delayOfKey, parseDue } from '../topology/delays.js';
import type { BusTopology, TopologyMode } from '../topology/plan.js';
import type { MemoryDelivery } from '../transport/memory/delivery.js';
import { MemorySession } from '../transport/memory/session.js';
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
  Transport,
  TransportSession,
} from '../transport/transport.js';
import type { Deadline } from '../util/deadline.js';
import { formatMs } from '../util/duration.js';
import { KitDelivery, originOf } from './delivery.js';
import { NotSettledError } from './errors.js';
import type { AckFault, PublishFault, PublishSite } from './exploring/faults.js';
import { comeAgain, payloadOf, type World } from './world.js';

/** User of a transport: one bus in one process. */
export interface User {
  readonly name: string;
  readonly by: PublishSite['by'];
  /** Called when a fault ends its process; whatever it still does has no effect. */
  onCrash(where: string): void;
}

/** Longest time until a broker detects by heartbeats that a connection is gone. */
const LATE_MS = 20_000;

export interface KitTransportOptions {
  /** Maximum messages that the user may publish without time passing. @default no limit */
  readonly maxAtOneMoment?: number;
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

  async open(options: SessionOptions): Promise<TransportSession> {
    const { world, user } = this;
    this.session = new KitSession(new MemorySession(world.broker, options), { world, user, ...this.options });
    return this.session;
  }
}

/** A publish whose process has died: nobody gets its result. Must not be awaited, since code in `finally` must run. */
const nobodyLeft = (): Promise<never> => new Promise(() => {});

class KitSession implements TransportSession {
  isDead = false;
  private inFlight = 0;
  private readonly consumers: Consumer[] = [];
  private readonly deliveries = new Set<KitDelivery>();
  /** Key: queue and messageId. */
  private readonly payloads = new Map<string, unknown>();

  private readonly world: World;
  private readonly user: User;

  constructor(
    private readonly inner: TransportSession,
    private readonly options: KitTransportOptions & { world: World; user: User },
  ) {
    this.world = options.world;
    this.user = options.user;
  }

  get brokerInfo(): BrokerInfo {
    return this.inner.brokerInfo;
  }

  purge(queue: string): Promise<number> {
    return this.inner.purge(queue);
  }

  inspect(queue: string): Promise<QueueState | undefined> {
    return this.inner.inspect(queue);
  }

  declare(topology: BusTopology, mode: TopologyMode, deadline: Deadline): Promise<void> {
    if (!this.options.declaresAll) return this.inner.declare(topology, mode, deadline);
    const { own, ...rest } = topology;
    const exchanges = own.exchanges.map(({ verifyOnly: _, ...exchange }) => exchange);
    return this.inner.declare({ ...rest, own: { ...own, exchanges } }, 'declare', deadline);
  }

  async publish(message: OutgoingMessage): Promise<Published | undefined> {
    const { flow, lineage } = this.world;
    if (this.isDead) return nobodyLeft();
    const site = this.siteOf(message);
    const before = this.stepBefore(message, site);
    // Copies and next steps are still published, so that the bus can stop.
    if (site.of === 'publish' && site.by !== 'test' && !before) this.endFlood(site);
    const cause = lineage.cause ?? before?.cause;
    const done = flow.begin(`a publish of '${site.routingKey}' is unconfirmed`);
    this.inFlight += 1;
    try {
      const fault = this.faultOf((faults) => faults.onPublish(site));
      if (fault === 'crash-before-publish') return this.crash(`before '${site.routingKey}' was published`);
      lineage.published(message.properties.messageId, cause);
      await this.store(message, site, cause?.handler);
      if (this.isDead) return nobodyLeft();
      if (fault === 'crash-after-publish') return this.crash(`after '${site.routingKey}' was published`);
      if (fault) await this.afterStored(fault, message, site);
      if (site.queue !== undefined) flow.copied(site.queue, message.properties.messageId, 'copied');
      if (before) before.state = 'running';
      return message.receipt;
    } catch (error) {
      if (before) before.state = 'held';
      if (site.queue !== undefined) flow.copied(site.queue, message.properties.messageId, 'held');
      throw error;
    } finally {
      this.inFlight -= 1;
      done();
    }
  }

  async consume(queue: string, options: ConsumeOptions, sink: DeliverySink): Promise<Consumer> {
    const consumer = await this.inner.consume(queue, options, {
      deliver: (delivery) => this.deliver(delivery as MemoryDelivery, sink),
      lost: (reason) => sink.lost(reason),
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

  async drain(deadline: Deadline): Promise<void> {
    await this.inner.drain(deadline);
    // The inner publishes have ended; the outer ones follow some promises later.
    while (this.inFlight > 0) await this.world.broker.turns.pass();
  }

  async close(deadline: Deadline): Promise<void> {
    await this.inner.close(deadline);
    for (const delivery of this.deliveries) this.world.flow.settled(delivery);
    this.deliveries.clear();
  }

  /** Ends the process: nothing it does has an effect any more, and its deliveries go back to their queues. */
  async die(deadline: Deadline): Promise<void> {
    this.isDead = true;
    for (const delivery of this.deliveries) this.world.flow.settled(delivery);
    this.deliveries.clear();
    // All consumers stop before any returns its deliveries: another one would get them otherwise.
    await Promise.all(this.consumers.map((consumer) => consumer.cancel()));
    await this.inner.close(deadline);
  }

  /** Payload of the last message with this id that was delivered from this queue. */
  payloadFor(queue: string, messageId: string | undefined): unknown {
    return this.payloads.get(`${queue} ${messageId}`);
  }

  acked(delivery: KitDelivery): void {
    const { routingKey } = originOf(delivery);
    const fault = this.faultOf((faults) => faults.onAck({ routingKey })) as AckFault | undefined;
    if (fault === 'crash-before-ack') {
      void this.crash(`before '${routingKey}' was acked`);
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

  private async afterStored(fault: PublishFault, message: OutgoingMessage, site: Site): Promise<void> {
    const { journal } = this.world;
    const { of, routingKey } = site;
    const what = of === 'publish' ? `'${routingKey}'` : `the ${of} of '${routingKey}'`;
    if (fault === 'sent-twice') {
      journal.note(`fault: ${what} was written again on a new connection, and is stored twice`);
      // The result of the second publish doesn't matter, once the first is confirmed.
      await this.inner.publish(message).catch(() => {});
      return;
    }
    journal.note(`fault: the confirm of ${what} was lost`);
    throw new OutcomeUnknownError(
      message.properties.messageId,
      `'${routingKey}' was written, but not confirmed: the test kit lost its confirm`,
    );
  }

  private crash(where: string): Promise<never> {
    this.user.onCrash(where);
    return nobodyLeft();
  }

  private faultOf<Fault>(ask: (faults: World['faults'][number]) => Fault | undefined): Fault | undefined {
    // Every fault is asked, since each counts the call.
    const answers = this.world.faults.map(ask);
    return answers.find((answer) => answer !== undefined);
  }

  private siteOf(message: OutgoingMessage): Site {
    const { by } = this.user;
    const { routingKey } = originOf(message);
    if (message.exchange === this.world.names.dead) {
      return { of: 'dead-letter', routingKey, by, queue: message.routingKey };
    }
    const due = this.dueOf(message);
    return due?.kind === 'q'
      ? { of: 'retry', routingKey, by, queue: due.destination }
      : { of: 'publish', routingKey, by, queue: undefined };
  }

  /** The delivery that waits for this publish, as the next step of its chain. */
  private stepBefore(message: OutgoingMessage, { of }: Site): KitDelivery | undefined {
    if (of !== 'publish') return undefined;
    return [...this.deliveries].find((delivery) => delivery.leadsTo(message));
  }

  /**
   * Ends a handler that publishes in a loop, or a cascade that grows in breadth, which a limit of depth doesn't
   * find.
   */
  private endFlood({ routingKey }: Site): void {
    const { flow, clock } = this.world;
    const { maxAtOneMoment = Number.POSITIVE_INFINITY } = this.options;
    if (flow.countAt(clock.monotonic()) > maxAtOneMoment) {
      flow.broken ??= new NotSettledError(
        `a cascade does not end: ${maxAtOneMoment} messages were published without time passing`,
        [`the last of them: '${routingKey}'`],
        'Find the handler that publishes without end; raise cascadeLimit, of which this is a multiple, if so many are intended.',
      );
    }
    if (flow.broken) throw flow.broken;
  }

  private dueOf({ exchange, routingKey }: OutgoingMessage): ReturnType<typeof parseDue> {
    return this.world.names.isDelayed(exchange) ? parseDue(routingKey) : undefined;
  }

  private async store(message: OutgoingMessage, site: Site, handler: string | undefined): Promise<void> {
    // Recorded before it is stored: a message that is handled before the confirm was published before that.
    const takeBack = site.of === 'publish' ? this.record(message, site, handler) : undefined;
    try {
      await this.inner.publish(message);
    } catch (error) {
      takeBack?.();
      throw error;
    }
  }

  private record(message: OutgoingMessage, { by }: Site, handler: string | undefined): () => void {
    const { properties, routingKey } = message;
    const { headers = {}, messageId, correlationId } = properties;
    return this.world.journal.add({
      kind: 'published',
      ...originOf(message),
      headers,
      messageId,
      correlationId,
      payload: payloadOf(this.world, message),
      delayMs: this.dueOf(message) ? delayOfKey(routingKey) : 0,
      by: by === 'test' ? 'test' : (handler ?? this.user.name),
    });
  }
}

interface Site extends PublishSite {
  /** Queue of the delivery that this publish settles. */
  readonly queue: string | undefined;
}
