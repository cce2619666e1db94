import type { CrashWatch } from './consume/crash-watch.js';
import type {
  BatchFunction,
  BatchHandleOptions,
  HandleOptions,
  HandlerDefinition,
  HandlerFunction,
  Patterns,
  PayloadOf,
  PublishedTo,
} from './consume/definition.js';
import { type BusDescription, describeBus } from './consume/describe.js';
import { plainHandler } from './consume/plain-handler.js';
import type { ServeOptions } from './consume/serving.js';
import { planSubscriptions, type Subscription } from './consume/subscription.js';
import type { Workload } from './consume/workload.js';
import { AlreadyStartedError, NotStartedError } from './errors.js';
import { checkEventName } from './event-names.js';
import type { BusEvents } from './events.js';
import { Lifecycle, type LivingParts } from './lifecycle.js';
import type { BatchJob, BatchStatus, CheckedJobs, JobBatch, JobBatchOptions } from './message/batch.js';
import type { Chain, ChainOptions, ChainStep, CheckedSteps } from './message/chain.js';
import type { MessageDefinition } from './message/define-message.js';
import { type ExchangeRef, exchangeRef } from './message/exchange-option.js';
import type { Published, PublishedMany } from './message/published.js';
import {
  Publisher,
  type PublishIntent,
  type PublishManyOptions,
  type PublishOptions,
} from './message/publisher.js';
import { FailureLog } from './observe/failure-log/failure-log.js';
import type { BusHealth } from './observe/health/bus-health.js';
import { HealthMonitor } from './observe/health/health-monitor.js';
import { type BusOptions, type BusSettings, busSettings } from './options.js';
import { Outbox } from './publish/outbox.js';
import { BusPublisher } from './publish/publisher.js';
import type { BodyOption } from './serialization/body-option.js';
import { runUntilSignal, type StopOptions } from './stopping.js';
import type { OutboxBacklog, OutboxOptions, SqlClient } from './stores/outbox.js';
import { Names } from './topology/names.js';
import { toMs } from './util/duration.js';
import { Emitter, type Listener } from './util/emitter.js';

/**
 * A service's bus: publishes, and runs the service's handlers. The composition root: it assembles the parts. In which order
 * they start and stop is the business of its {@link Lifecycle}.
 */
export class Bus extends Publisher {
  private readonly settings: BusSettings;
  private readonly names: Names;
  private readonly exchange: ExchangeRef;
  private readonly events: Emitter<BusEvents>;
  private readonly publisher: BusPublisher;
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
    });
    const { steps } = this.publisher;
    this.outboxOfStores = new Outbox({ ...settings, store: stores.outbox, steps, clock, events });
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

  // The one for batches is first: what lacks `batch` is none of it, before functions among the options get their types.
  /**
   * Adds a handler, without a class or a decorator; with `batch`, for many messages in one call. Before `start()`.
   *
   * @param patterns what it handles; a definition validates the payload and gives it its type, here and in the options
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
   * Listens to what the bus tells about itself; the returned function ends that. What a listener throws is logged.
   *
   * @throws OptionsError for a name that no event has
   */
  on<Name extends keyof BusEvents>(event: Name, listener: Listener<BusEvents[Name]>): () => void {
    checkEventName(event);
    return this.events.on(event, listener);
  }

  /**
   * How much there is to do for this process: asks the broker how many messages wait in the queues that it consumes.
   *
   * @throws NotStartedError, ConnectError
   */
  async workload(): Promise<Workload> {
    const { runners } = this.life;
    if (!runners) throw new NotStartedError('workload was called');
    return runners.workload();
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
    return this.life.start(this.parts, serve);
  }

  /**
   * Stops in stages: takes no more messages, lets handlers finish and settles what they did, waits for confirms, closes.
   * Near the deadline `context.signal` fires; what is not settled then goes back to its queue. May be called again: the
   * first call's deadline holds, and `cancel` takes effect at any time.
   *
   * @throws StopDeadlineError when all is closed, if something had to be left behind
   */
  stop(options: StopOptions = {}): Promise<void> {
    return this.life.stop(this.parts, options);
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
   * `batch([…]).onSuccess(…).onFailure(…).onEnd(…).dispatch()`. Nothing is sent before `dispatch()`. Needs `stores` that all
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
   * Jobs of it that have not begun are not run any more, and what its `onFailure` asks for is sent. What runs is not disturbed.
   *
   * @returns false if it was cancelled or had ended before, or is not known
   * @throws NotStartedError, OptionsError, and what the store's client throws
   */
  async cancelBatch(id: string): Promise<boolean> {
    this.life.openSession();
    return this.publisher.batches.cancel(id);
  }

  /**
   * What `outbox()` of `hopline/postgres` calls: what is published through it is added to the outbox of the bus's `stores`, in the
   * transaction that the client is in, and published when that is committed. Works before `start()`, and without it.
   *
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

  /**
   * Has redelivered messages looked after that may have killed their process. Before `start()`.
   *
   * @internal a worker of `hopline work`
   */
  watchCrashes(watch: CrashWatch): void {
    this.life.watchCrashes(watch);
  }

  chain<Step extends ChainStep>(steps: CheckedSteps<Step>, options?: ChainOptions): Chain {
    return this.publisher.chain(steps as never, options);
  }

  protected dispatch(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions | undefined,
  ): Promise<Published> {
    return this.publisher[intent](target as string, payload, options);
  }

  protected dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions | undefined,
  ): Promise<PublishedMany> {
    return this.publisher[`${intent}Many`](target as string, payloads, options);
  }

  private get parts(): LivingParts {
    return {
      bus: this,
      publisher: this.publisher,
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
