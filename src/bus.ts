import type {
  BatchHandleOptions,
  HandleOptions,
  HandlerDefinition,
  Patterns,
  PayloadOf,
  PublishedTo,
} from './consume/handlers/definition.js';
import { type BusDescription, describeBus } from './consume/handlers/describe.js';
import { plainHandler } from './consume/handlers/plain-handler.js';
import type { ServeOptions } from './consume/handlers/serving.js';
import { planSubscriptions, type Subscription } from './consume/handlers/subscription.js';
import type { CrashWatch } from './consume/intake/crash-watch.js';
import type { Workload } from './consume/report/workload.js';
import { AlreadyStartedError, NotStartedError } from './errors.js';
import { checkEventName } from './event-names.js';
import type { BusEvents } from './events.js';
import { Outbox } from './features/outbox/outbox.js';
import { Lifecycle, type LivingParts } from './lifecycle.js';
import type { BatchJob, BatchStatus, CheckedJobs, JobBatch, JobBatchOptions } from './message/batch.js';
import { type ExchangeRef, exchangeRef } from './message/exchange-option.js';
import { Publisher, type Sender } from './message/publisher.js';
import { FailureLog } from './observe/failure-log/failure-log.js';
import type { BusHealth } from './observe/health/bus-health.js';
import { HealthMonitor } from './observe/health/health-monitor.js';
import { type BusOptions, type BusSettings, busSettings } from './options.js';
import type { BatchFunction, HandlerFunction } from './pipeline/handler.js';
import { throughMiddleware } from './pipeline/middleware-sender.js';
import { publishMiddlewareOf, wrapping } from './pipeline/publish-middleware.js';
import { BusPublisher } from './publish/publisher.js';
import type { BodyOption } from './serialization/body-option.js';
import { runUntilSignal, type StopOptions } from './stopping.js';
import type { OutboxBacklog, OutboxOptions, SqlClient } from './stores/outbox.js';
import { Names } from './topology/names.js';
import { toMs } from './util/duration.js';
import { Emitter, type Listener } from './util/emitter.js';

/**
 * A service's bus: publishes messages, and runs the service's handlers. This is the composition root: it
 * assembles the parts. The order in which they start and stop is in its {@link Lifecycle}.
 */
export class Bus extends Publisher {
  private readonly settings: BusSettings;
  private readonly names: Names;
  private readonly exchange: ExchangeRef;
  private readonly events: Emitter<BusEvents>;
  private readonly publisher: BusPublisher;
  protected readonly sender: Sender;
  private readonly outboxOfStores: Outbox;
  private readonly definitions: HandlerDefinition[];
  private readonly monitor: HealthMonitor;
  private readonly life: Lifecycle;

  /** @throws OptionsError with all problems at once */
  constructor(options: BusOptions) {
    super();
    this.settings = busSettings(options);
    const { settings } = this;
    const { service, log, transport, stores } = settings;
    const { clock } = transport;
    this.definitions = [...settings.handlers];
    const names = new Names(settings.prefix, settings.delayPrefix);
    const exchange = exchangeRef(settings.exchange);
    const events = new Emitter<BusEvents>((event, error) => log.error({ event, error }, 'a listener threw'));
    const monitor = new HealthMonitor(service, events, clock);
    if (settings.failureSumsEveryMs !== undefined)
      new FailureLog(events, { log, clock, everyMs: settings.failureSumsEveryMs });
    this.names = names;
    this.exchange = exchange;
    this.events = events;
    this.monitor = monitor;
    const middleware = publishMiddlewareOf(settings.middleware);
    this.life = new Lifecycle({ settings, names, exchange, events, monitor });
    this.publisher = new BusPublisher({
      ...settings,
      names,
      exchange,
      events,
      clock,
      session: () => this.life.openSession(),
      ensureExchange: (ref) => this.life.ensureExchange(ref),
      uniqueHandlers: () => this.life.uniqueHandlers,
      wrap: middleware.length > 0 ? wrapping(middleware) : undefined,
    });
    this.sender = throughMiddleware(this.publisher, middleware);
    const { steps } = this.publisher;
    this.outboxOfStores = new Outbox({ ...settings, middleware, store: stores.outbox, steps, clock, events });
  }

  /** Name of the service. */
  get service(): string {
    return this.settings.service;
  }

  /**
   * Exchanges, queues, bindings and handlers of the bus. Needs no broker, and starts nothing.
   *
   * @throws OptionsError for problems of the handlers
   */
  describe(): BusDescription {
    return describeBus({ ...this.settings, names: this.names, exchange: this.exchange }, this.plan());
  }

  // The overload for batches comes first: options without `batch` are ruled out before functions among them get
  // their types.
  /**
   * Adds a handler without a class or a decorator; with the option `batch`, a handler of many messages. Call it
   * before `start()`.
   *
   * @param patterns patterns of routing keys; a definition validates the payload and types it, in the function
   * and in the options
   * @throws AlreadyStartedError
   */
  handle<const Given extends Patterns, Body extends BodyOption = 'json'>(
    patterns: Given,
    handle: BatchFunction<PayloadOf<Given, Body>>,
    options: BatchHandleOptions<PayloadOf<Given, Body>, PublishedTo<Given>> & { body?: Body },
  ): this;
  handle<const Given extends Patterns, Body extends BodyOption = 'json'>(
    patterns: Given,
    handle: HandlerFunction<PayloadOf<Given, Body>>,
    options?: HandleOptions<PayloadOf<Given, Body>, PublishedTo<Given>> & { body?: Body },
  ): this;
  handle(patterns: Patterns, handle: HandlerFunction | BatchFunction, options: HandleOptions = {}): this {
    if (this.life.state !== 'new') throw new AlreadyStartedError('a handler was added');
    this.definitions.push(plainHandler(patterns, handle, options));
    return this;
  }

  /**
   * Adds a listener for an event of the bus; the returned function removes it. An error that the listener
   * throws is logged.
   *
   * @throws OptionsError for an unknown event name
   */
  on<Name extends keyof BusEvents>(event: Name, listener: Listener<BusEvents[Name]>): () => void {
    checkEventName(event);
    return this.events.on(event, listener);
  }

  /**
   * Asks the broker how many messages wait in the queues that this process consumes.
   *
   * @throws NotStartedError, ConnectError
   */
  async workload(): Promise<Workload> {
    const { runners } = this.life;
    if (!runners) throw new NotStartedError('workload was called');
    return runners.workload();
  }

  /**
   * Current health of the bus, with reasons: for probes. Sends no request, so it may be called often; works at
   * any time.
   */
  health(): BusHealth {
    return this.monitor.health();
  }

  /**
   * Resolves handlers, connects, declares the topology, and begins to consume, in this order: faults of the
   * code show before the broker is touched. Resolves when messages flow both ways. If it rejects, nothing is
   * left running, and it may be called again.
   *
   * @param serve queues that this process consumes; all of the bus without it
   * @throws OptionsError, HandlerResolutionError, ContextOutsideMessageError for problems of `serve` or the
   * handlers
   * @throws ConnectError at `startDeadline`, or at once if the broker refuses the credentials
   * @throws TopologyError if the broker refuses an exchange, a queue or a binding
   * @throws StoppedError after `stop()`, or if `stop()` is called before this has ended
   */
  start(serve: ServeOptions = {}): Promise<void> {
    return this.life.start(this.parts, serve);
  }

  /**
   * Stops in stages: takes no more messages, lets handlers finish and settles their messages, waits for
   * confirms, closes. Shortly before the deadline `context.signal` fires; messages that are still unsettled at
   * the deadline go back to their queues. It may be called again: the deadline of the first call holds, and
   * `cancel` takes effect at any time.
   *
   * @throws StopDeadlineError after closing, if work had to be left behind
   */
  stop(options: StopOptions = {}): Promise<void> {
    return this.life.stop(this.parts, options);
  }

  /**
   * Starts, waits for SIGTERM or SIGINT, and stops; a signal during the start gives the start up. A second
   * signal fires `context.signal` of the handlers that still run, a third ends the process at once. For
   * programs that are nothing but a worker: apart from this method the library installs no signal handlers.
   *
   * @throws the errors of {@link start}; if `stop()` had to leave work behind, the process exits with 1
   */
  runUntilSignal(): Promise<void> {
    return runUntilSignal(this, this.settings.log);
  }

  /**
   * Creates a batch: jobs that are handled in parallel, and messages that are sent when all of them have ended:
   * `batch([…]).onSuccess(…).onFailure(…).onEnd(…).dispatch()`. Nothing is sent before `dispatch()`. Needs
   * `stores` that are shared by all services which handle the jobs.
   *
   * @param jobs a list, or an iterable such as a generator, of which 500 jobs at most are held at a time
   * @throws OptionsError
   */
  batch<Job extends BatchJob>(jobs: CheckedJobs<Job>, options?: JobBatchOptions): JobBatch {
    return this.publisher.batch(jobs, options);
  }

  /**
   * Progress of a batch; undefined if the store does not know the batch, or has forgotten it. Works before
   * `start()`.
   *
   * @throws OptionsError if the bus has no store for batches; the errors of the store's client
   */
  async findBatch(id: string): Promise<BatchStatus | undefined> {
    return this.publisher.batches.find(id);
  }

  /**
   * Cancels a batch: its jobs that have not begun are skipped, and its `onFailure` message is sent. Running
   * jobs go on.
   *
   * @returns false if the batch is unknown, or was cancelled or had ended before
   * @throws NotStartedError, OptionsError; the errors of the store's client
   */
  async cancelBatch(id: string): Promise<boolean> {
    this.life.openSession();
    return this.publisher.batches.cancel(id);
  }

  /**
   * What `outbox()` of `hopline/postgres` calls: a publisher that adds messages to the outbox of the bus's `stores`, in the transaction
   * that the client is in. They are published after the commit. Works before `start()`, and without it.
   *
   * @throws OptionsError
   */
  outbox(client: SqlClient, options: OutboxOptions): Publisher {
    return this.outboxOfStores.through(client, options);
  }

  /**
   * Messages that wait in the outbox of `stores`, whichever process relays them.
   *
   * @throws OptionsError if the stores have no outbox
   * @throws StoreNotMigratedError, StoreTimeoutError
   */
  outboxBacklog(): Promise<OutboxBacklog> {
    return this.outboxOfStores.backlog();
  }

  /**
   * Watches redelivered messages that may have killed their process. Call it before `start()`.
   *
   * @internal a worker of `hopline work`
   */
  watchCrashes(watch: CrashWatch): void {
    this.life.watchCrashes(watch);
  }

  private get parts(): LivingParts {
    return {
      publisher: this.publisher,
      senderOf: (inner) =>
        inner.length === 0
          ? this.sender
          : throughMiddleware(this.publisher, [...publishMiddlewareOf(this.settings.middleware), ...inner]),
      outbox: this.outboxOfStores,
      subscriptions: (serve) => this.plan(serve),
      prepare: async () => {
        for (const { prepare } of this.definitions) await prepare?.(this);
      },
    };
  }

  private plan({ concurrency: places, retry, timeout }: ServeOptions = {}): Subscription[] {
    const { settings, exchange } = this;
    return planSubscriptions(this.definitions, {
      ...settings,
      exchange,
      places,
      retry: { ...settings.retry, ...retry },
      timeoutMs: timeout === undefined ? settings.timeoutMs : toMs(timeout),
      hasInbox: settings.stores.inbox !== undefined,
    });
  }
}
