import type {
  BatchFunction,
  BatchHandleOptions,
  HandleOptions,
  HandlerDefinition,
  HandlerFunction,
  PatternOrDefinition,
} from './consume/definition.js';
import { type BusDescription, describeBus } from './consume/describe.js';
import { plainHandler } from './consume/plain-handler.js';
import { Runners } from './consume/runners.js';
import { checkServeOptions, planServing, type ServeOptions } from './consume/serving.js';
import { hasInbox, planSubscriptions, queueNeeds, type Subscription } from './consume/subscription.js';
import { UniqueHandlers } from './consume/unique-handlers.js';
import type { Workload } from './consume/workload.js';
import { BusControl } from './control/bus-control.js';
import { AlreadyStartedError, ConnectError, NotStartedError, StoppedError } from './errors.js';
import type { BusEvents, BusState } from './events.js';
import type { BatchJob, BatchStatus, CheckedJobs, JobBatch, JobBatchOptions } from './message/batch.js';
import type { Chain, ChainOptions, ChainStep, CheckedSteps } from './message/chain.js';
import type { MessageDefinition, OutputOf } from './message/define-message.js';
import { type ExchangeRef, exchangeRef } from './message/exchange-option.js';
import {
  Publisher,
  type PublishIntent,
  type PublishManyOptions,
  type PublishOptions,
} from './message/publisher.js';
import type { BusHealth } from './observe/health/bus-health.js';
import { HealthMonitor } from './observe/health/health-monitor.js';
import { type BusOptions, type BusSettings, busSettings } from './options.js';
import { KnownExchanges } from './publish/known-exchanges.js';
import { Outbox } from './publish/outbox.js';
import { BusPublisher } from './publish/publisher.js';
import {
  CLOSING_RESERVE_MS,
  leftBehind,
  runUntilSignal,
  type StopOptions,
  stopInStages,
} from './stopping.js';
import type { OutboxBacklog, OutboxOptions, SqlClient } from './stores/outbox.js';
import { planBus } from './topology/build.js';
import { Names } from './topology/names.js';
import type { BusTopology } from './topology/plan.js';
import type { TransportSession } from './transport/transport.js';
import { Deadline } from './util/deadline.js';
import { formatMs, toMs } from './util/duration.js';
import { Emitter, type Listener } from './util/emitter.js';

/** One pattern or several; a definition gives the handler's payload its type. */
type Patterns = PatternOrDefinition | readonly PatternOrDefinition[];
type PayloadOf<Given> = OutputOf<Given extends readonly (infer Each)[] ? Each : Given>;

/**
 * A service's bus: publishes, and runs the service's handlers. The composition root: it assembles the parts and knows
 * in which order they start and stop.
 */
export class Bus extends Publisher {
  private readonly settings: BusSettings;
  private readonly names: Names;
  private readonly exchange: ExchangeRef;
  private readonly events: Emitter<BusEvents>;
  private readonly publisher: BusPublisher;
  private readonly outboxOfStores: Outbox;
  private readonly definitions: HandlerDefinition[];
  private readonly exchanges = new KnownExchanges((topology) => this.declareOnUse(topology));
  /** Aborts when `stop()` no longer waits for retries and dead letters that can't be published. */
  private readonly giveUp = new AbortController();
  private readonly monitor: HealthMonitor;
  private uniqueHandlers: UniqueHandlers | undefined;
  private runners: Runners | undefined;
  private control: BusControl | undefined;
  private session: TransportSession | undefined;
  private state: BusState = 'new';
  private starting: Promise<void> | undefined;
  private startDeadline: Deadline | undefined;
  private stopping: Promise<void> | undefined;

  /** @throws OptionsError with all problems at once */
  constructor(options: BusOptions) {
    super();
    this.settings = busSettings(options);
    const { log, prefix, delayPrefix, transport, exchange } = this.settings;
    this.names = new Names(prefix, delayPrefix);
    this.exchange = exchangeRef(exchange);
    this.definitions = [...this.settings.handlers];
    this.events = new Emitter<BusEvents>((event, error) => log.error({ event, error }, 'a listener threw'));
    this.monitor = new HealthMonitor(this.settings.service, this.events, transport.clock);
    this.publisher = new BusPublisher({
      ...this.settings,
      names: this.names,
      exchange: this.exchange,
      events: this.events,
      clock: transport.clock,
      session: () => this.openSession(),
      ensureExchange: (ref) => this.exchanges.ensure(ref),
      uniqueHandlers: () => this.uniqueHandlers,
    });
    this.outboxOfStores = new Outbox({
      ...this.settings,
      store: this.settings.stores.outbox,
      steps: this.publisher.steps,
      clock: transport.clock,
      events: this.events,
    });
  }

  /** Name of the service. */
  get service(): string {
    return this.settings.service;
  }

  /**
   * What it is made of: needs no broker, and starts nothing.
   *
   * @throws OptionsError for what is wrong with the handlers
   */
  describe(): BusDescription {
    return describeBus({ ...this.settings, names: this.names, exchange: this.exchange }, this.plan());
  }

  /**
   * Adds a handler, without a class or a decorator. Before `start()`.
   *
   * @param patterns what it handles; a definition validates the payload and gives it its type
   * @throws AlreadyStartedError
   */
  handle<const Given extends Patterns>(
    patterns: Given,
    handle: HandlerFunction<PayloadOf<Given>>,
    options?: HandleOptions,
  ): this;
  /** The same, for many messages in one call. */
  handle<const Given extends Patterns>(
    patterns: Given,
    handle: BatchFunction<PayloadOf<Given>>,
    options: BatchHandleOptions,
  ): this;
  handle(patterns: Patterns, handle: HandlerFunction | BatchFunction, options: HandleOptions = {}): this {
    if (this.state !== 'new') throw new AlreadyStartedError('a handler was added');
    this.definitions.push(plainHandler(patterns, handle, options));
    return this;
  }

  /** Listens to what the bus tells about itself; the returned function ends that. What a listener throws is logged. */
  on<Name extends keyof BusEvents>(event: Name, listener: Listener<BusEvents[Name]>): () => void {
    return this.events.on(event, listener);
  }

  /**
   * How much there is to do for this process: asks the broker how many messages wait in the queues that it consumes.
   *
   * @throws NotStartedError, ConnectError
   */
  async workload(): Promise<Workload> {
    if (!this.runners) throw new NotStartedError('workload was called');
    return this.runners.workload();
  }

  /** How it is at this moment, and why: for probes. Asks nobody, so it may be called often; works at any time. */
  health(): BusHealth {
    return this.monitor.health();
  }

  /**
   * Resolves handlers, connects, declares the topology, and begins to consume, in this order: what is wrong with the
   * code shows before the broker is touched. Resolves when messages flow both ways; if it rejects, nothing is left
   * running, and it may be called again.
   *
   * @param serve which of its queues this process consumes; all of them without
   * @throws OptionsError, HandlerResolutionError, ContextOutsideMessageError for what is wrong with them or the handlers
   * @throws ConnectError at `startDeadline`, or at once if the broker refuses the credentials
   * @throws TopologyError if the broker refuses an exchange, a queue or a binding
   * @throws StoppedError after `stop()`, or if that is called before this has ended
   */
  start(serve: ServeOptions = {}): Promise<void> {
    if (this.state === 'stopping' || this.state === 'stopped')
      return Promise.reject(new StoppedError('start() was called'));
    this.starting ??= this.begin(serve);
    return this.starting;
  }

  /**
   * Stops in stages: takes no more messages, lets handlers finish and settles what they did, waits for confirms, closes.
   * Near the deadline `context.signal` fires; what is not settled then goes back to its queue. May be called again: the
   * first call's deadline holds, and `cancel` takes effect at any time.
   *
   * @throws StopDeadlineError when all is closed, if something had to be left behind
   */
  stop({ deadline, cancel = false }: StopOptions = {}): Promise<void> {
    this.stopping ??= this.end(deadline === undefined ? this.settings.stopDeadlineMs : toMs(deadline));
    if (cancel) this.runners?.cancel();
    return this.stopping;
  }

  /**
   * Starts, waits for SIGTERM or SIGINT, and stops; one that comes while it starts gives the start up. For programs that
   * are nothing but a worker; the library installs no signal handlers of its own otherwise. A second signal fires the
   * signals of the handlers that still run, a third ends the process at once.
   *
   * @throws the errors of {@link start}; and the process exits with 1 if `stop()` had to leave work behind
   */
  runUntilSignal(): Promise<void> {
    return runUntilSignal(this, this.settings.log);
  }

  /**
   * Jobs that are handled side by side, and messages that are sent when all of them have ended:
   * `batch([…]).then(…).catch(…).finally(…).dispatch()`. Nothing is sent before `dispatch()`. Needs `stores` that all
   * services share which handle them.
   *
   * @param jobs a list, or what makes them while they are sent, as a generator does: 500 of them are held at a time
   * @throws OptionsError
   */
  batch<Job extends BatchJob>(jobs: CheckedJobs<Job>, options?: JobBatchOptions): JobBatch {
    return this.publisher.batch(jobs, options);
  }

  /**
   * How far a batch is; undefined if the store doesn't know it, or not any more. Works before `start()`.
   *
   * @throws OptionsError if the bus has no store for batches, and what the store's client throws
   */
  async findBatch(id: string): Promise<BatchStatus | undefined> {
    return this.publisher.batches.find(id);
  }

  /**
   * Jobs of it that have not begun are not run any more, and its `catch` is sent. What runs is not disturbed.
   *
   * @returns false if it was cancelled or had ended before, or is not known
   * @throws NotStartedError, OptionsError, and what the store's client throws
   */
  async cancelBatch(id: string): Promise<boolean> {
    this.openSession();
    return this.publisher.batches.cancel(id);
  }

  /**
   * What is published through it is added to the outbox of the bus's `stores`, in the transaction that the client is in, and
   * published when that is committed. Works before `start()`, and without it.
   *
   * @internal `outbox()` of hopline/postgres
   * @throws OptionsError
   */
  outbox(client: SqlClient, options: OutboxOptions): Publisher {
    return this.outboxOfStores.through(client, options);
  }

  /**
   * What waits in the outbox of its `stores`, whoever relays it.
   *
   * @throws OptionsError if they have none
   * @throws StoreNotMigratedError, StoreTimeoutError
   */
  outboxBacklog(): Promise<OutboxBacklog> {
    return this.outboxOfStores.backlog();
  }

  chain<Step extends ChainStep>(steps: CheckedSteps<Step>, options?: ChainOptions): Chain {
    return this.publisher.chain(steps as never, options);
  }

  protected dispatch(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions | undefined,
  ): Promise<void> {
    return this.publisher[intent](target as string, payload, options);
  }

  protected dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions | undefined,
  ): Promise<void> {
    return this.publisher[`${intent}Many`](target as string, payloads, options);
  }

  private async begin(serve: ServeOptions): Promise<void> {
    this.enter('starting');
    const { transport, startDeadlineMs } = this.settings;
    const deadline = new Deadline(transport.clock, startDeadlineMs);
    this.startDeadline = deadline;
    try {
      checkServeOptions(serve);
      const subscriptions = this.plan(serve.concurrency);
      const servings = planServing(subscriptions, serve);
      this.uniqueHandlers = UniqueHandlers.among(subscriptions);
      for (const { prepare } of this.definitions) await prepare?.(this);
      this.session = await transport.open({ ...this.settings, events: this.events }, deadline);
      await this.declare(this.session, subscriptions, deadline);
      this.runners = new Runners(servings, {
        ...this.settings,
        names: this.names,
        session: this.session,
        clock: transport.clock,
        events: this.events,
        giveUp: this.giveUp.signal,
        publisher: this,
        steps: this.publisher.steps,
        batches: this.publisher.batches,
        throughOutbox: (add) => this.outboxOfStores.adding(add),
      });
      if (this.settings.control && subscriptions.length > 0)
        await this.hearOperators(this.session, this.runners, deadline);
      await deadline.race(this.runners.start(), () => this.notConsuming());
      if (this.settings.relay ?? hasInbox(subscriptions)) this.outboxOfStores.startRelay();
      this.enter('started');
    } catch (error) {
      await this.abandonStart();
      this.events.emit('bus.startFailed', { service: this.service, error: error as Error });
      throw this.stopping === undefined ? error : new StoppedError('start() was given up');
    }
  }

  private async hearOperators(
    session: TransportSession,
    runners: Runners,
    deadline: Deadline,
  ): Promise<void> {
    this.control = new BusControl({
      ...this.settings,
      names: this.names,
      session,
      runners,
      clock: this.settings.transport.clock,
      events: this.events,
      state: () => this.state,
      lagMs: () => this.monitor.lagMs,
    });
    await this.control.start(deadline);
  }

  private plan(places?: number): Subscription[] {
    return planSubscriptions(this.definitions, {
      ...this.settings,
      exchange: this.exchange,
      places,
      hasInbox: this.settings.stores.inbox !== undefined,
    });
  }

  private notConsuming(): ConnectError {
    return new ConnectError(
      `service '${this.service}' could not begin to consume within ${formatMs(this.settings.startDeadlineMs)}: the broker does not answer`,
      'Look in the broker whether the queues have a leader, and at its load and alarms.',
    );
  }

  private async declare(
    session: TransportSession,
    subscriptions: readonly Subscription[],
    deadline: Deadline,
  ): Promise<void> {
    const topology = planBus(this.names, this.exchange, subscriptions.map(queueNeeds));
    try {
      await session.declare(topology, this.settings.topology, deadline);
    } catch (error) {
      this.events.emit('topology.failed', { service: this.service, error: error as Error });
      throw error;
    }
    this.exchanges.add(topology);
  }

  private async abandonStart(): Promise<void> {
    this.control?.stop();
    const closing = new Deadline(this.settings.transport.clock, CLOSING_RESERVE_MS);
    await closing.race(this.runners?.abandon() ?? Promise.resolve(), () => new Error('late')).catch(() => {});
    await this.session?.close(closing).catch(() => {});
    this.runners = undefined;
    this.session = undefined;
    this.starting = undefined;
    this.exchanges.clear();
    this.state = 'new';
  }

  private async end(deadlineMs: number): Promise<void> {
    // Half-started parts can't be stopped in order: a start that goes on is given up, and takes down what it has.
    if (this.state === 'starting') this.startDeadline?.end();
    await this.starting?.catch(() => {});
    const { session, runners } = this;
    if (!session || !runners) {
      this.enter('stopped');
      return;
    }
    this.enter('stopping');
    this.control?.stop();
    // What it doesn't publish any more lies safe.
    const relayed = this.outboxOfStores.stopRelay();
    const handlersEnded = () => {
      this.giveUp.abort();
      this.publisher.flush();
    };
    const deadline = new Deadline(this.settings.transport.clock, deadlineMs);
    const problems = await stopInStages({ session, runners, relayed, handlersEnded }, deadline);
    this.enter('stopped');
    if (problems.length > 0) throw leftBehind(this.service, problems, deadlineMs);
  }

  private enter(state: Exclude<BusState, 'new'>): void {
    this.state = state;
    this.events.emit(`bus.${state}`, { service: this.service });
  }

  private openSession(): TransportSession {
    if (this.state === 'stopped') throw new StoppedError('publish or send was called');
    if (!this.session || this.state === 'new') throw new NotStartedError('publish or send was called');
    return this.session;
  }

  private declareOnUse(topology: BusTopology): Promise<void> {
    const { publishDeadlineMs, topology: mode, transport } = this.settings;
    return this.openSession().declare(topology, mode, new Deadline(transport.clock, publishDeadlineMs));
  }
}
