import { BusWithJobs } from './bus/jobs.js';
import type { Lifecycle } from './bus/lifecycle.js';
import type { BusOptions } from './bus/options.js';
import { BusParts } from './bus/parts.js';
import type { StopOptions } from './bus/stop-options.js';
import { runUntilSignal } from './bus/stopping.js';
import type { CrashWatch } from './consume/attempt/crash-watch.js';
import type { BusDescription } from './consume/handlers/bus-description.js';
import type {
  BulkHandleOptions,
  BusReplyOptions,
  HandleOptions,
  HandlerDefinition,
  Patterns,
  PayloadOf,
  PublishedTo,
} from './consume/handlers/definition.js';
import { plainHandler, plainResponder } from './consume/handlers/plain-handler.js';
import type { ServeOptions } from './consume/handlers/serve-options.js';
import type { Workload } from './consume/report/workload.js';
import type { ProcessStatus } from './control/answer.js';
import { AlreadyStartedError, NotStartedError } from './errors.js';
import { checkEventName } from './events/event-names.js';
import type { BusEvents } from './events.js';
import type { Jobs } from './features/job/jobs.js';
import type { Batch, BatchJob, BatchOptions, BatchStatus, CheckedJobs } from './message/batch.js';
import type { Publisher, Sender } from './message/publisher.js';
import type { RequestDefinition } from './message/requests/define-request.js';
import type { Requester, RequestSender } from './message/requests/requester.js';
import type { BusHealth } from './observe/health/bus-health.js';
import type { BulkFunction, HandlerFunction, ReplyFunction } from './pipeline/handler.js';
import type { BusPublisher } from './publish/publisher.js';
import type { BodyOption } from './serialization/body-option.js';
import type { OutboxBacklog, OutboxOptions, SqlClient } from './stores/outbox.js';
import type { Listener } from './util/emitter.js';

/** Batches beyond these are not counted: what matters is that there are some. */
const OVERDUE_AT_MOST = 100;

/**
 * A service's bus: publishes messages, asks requests, and runs the service's handlers. Its parts are assembled in
 * {@link BusParts}; the order in which they start and stop is in {@link Lifecycle}.
 */
export class Bus extends BusWithJobs {
  private readonly parts: BusParts;
  private readonly life: Lifecycle;
  private readonly publisher: BusPublisher;
  protected readonly sender: Sender;
  protected readonly requests: RequestSender;

  /** @throws OptionsError with all problems at once */
  constructor(options: BusOptions) {
    super();
    this.parts = new BusParts(options);
    this.life = this.parts.life;
    this.publisher = this.parts.publisher;
    this.sender = this.parts.senders.sender;
    this.requests = this.parts.senders.requests;
  }

  protected get jobs(): Jobs {
    return this.parts.jobsOfStore;
  }

  /** Name of the service. */
  get service(): string {
    return this.parts.settings.service;
  }

  /**
   * Exchanges, queues, bindings and handlers of the bus. Needs no broker, and starts nothing.
   *
   * @throws OptionsError for problems of the handlers
   */
  describe(): BusDescription {
    return this.parts.describe();
  }

  // The overload for many messages comes first: options without `bulk` are ruled out before functions among them get
  // their types.
  /**
   * Adds a handler without a class or a decorator; with the option `bulk`, a handler of many messages. Call it
   * before `start()`.
   *
   * @param patterns patterns of routing keys; a definition validates the payload and types it, in the function
   * and in the options
   * @throws AlreadyStartedError
   */
  handle<const Given extends Patterns, Body extends BodyOption = 'json'>(
    patterns: Given,
    handle: BulkFunction<PayloadOf<Given, Body>>,
    options: BulkHandleOptions<PayloadOf<Given, Body>, PublishedTo<Given>> & { body?: Body },
  ): this;
  handle<const Given extends Patterns, Body extends BodyOption = 'json'>(
    patterns: Given,
    handle: HandlerFunction<PayloadOf<Given, Body>>,
    options?: HandleOptions<PayloadOf<Given, Body>, PublishedTo<Given>> & { body?: Body },
  ): this;
  handle(patterns: Patterns, handle: HandlerFunction | BulkFunction, options: HandleOptions = {}): this {
    this.addHandlers([plainHandler(patterns, handle, options)]);
    return this;
  }

  /**
   * Adds a responder without a class or a decorator: what the function returns is the reply, and what it throws reaches the requester as
   * a ResponderError. Call it before `start()`.
   *
   * @throws AlreadyStartedError
   */
  reply<Input, Output, ReplyInput>(
    request: RequestDefinition<string, Input, Output, ReplyInput>,
    handle: ReplyFunction<Output, NoInfer<ReplyInput>>,
    options: BusReplyOptions<Output, Input> = {},
  ): this {
    if (this.life.state !== 'new') throw new AlreadyStartedError('a responder was added');
    this.parts.definitions.push(
      plainResponder(request as RequestDefinition, handle as ReplyFunction, options as BusReplyOptions),
    );
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
    return this.parts.events.on(event, listener);
  }

  /**
   * Asks the broker how many messages wait in the queues that this process consumes.
   *
   * @throws NotStartedError, ConnectError
   */
  async workload(): Promise<Workload> {
    const { consumption } = this.life;
    if (!consumption) throw new NotStartedError('workload was called');
    return consumption.workload();
  }

  /**
   * Current health of the bus, with reasons: for probes. Sends no request, so it may be called often; works at
   * any time.
   */
  health(): BusHealth {
    return this.parts.monitor.health();
  }

  /**
   * Status of this process: its slots, lanes and handlers with their figures. Reads memory alone, so it may be called often;
   * works at any time. `openControl()` of `hopline/operate` has that of all processes.
   */
  status(): ProcessStatus {
    return this.life.status;
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
    return this.life.start(this.parts.livingFor(this), serve);
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
    return runUntilSignal(this, this.parts.settings.log);
  }

  /**
   * Creates a batch: jobs that are handled in parallel, and messages that are sent when all of them have ended:
   * `batch([…]).onSuccess(…).onFailure(…).onEnd(…).dispatch()`. Nothing is sent before `dispatch()`. Needs
   * `stores` that are shared by all services which handle the jobs.
   *
   * @param jobs a list, or an iterable such as a generator, of which 500 jobs at most are held at a time
   * @throws OptionsError
   */
  batch<Job extends BatchJob>(jobs: CheckedJobs<Job>, options?: BatchOptions): Batch {
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
   * Publisher that adds messages to the outbox of the bus's `stores`, in the transaction that the client is in;
   * `outbox()` of `hopline/postgres` calls it. They are published after the commit. Works before `start()`, and without it.
   *
   * @throws OptionsError
   */
  outbox(client: SqlClient, options: OutboxOptions): Publisher {
    return this.parts.outbox.through(client, options);
  }

  /**
   * Messages that wait in the outbox of `stores`, whichever process relays them.
   *
   * @throws OptionsError if the stores have no outbox
   * @throws StoreNotMigratedError, StoreTimeoutError
   */
  outboxBacklog(): Promise<OutboxBacklog> {
    return this.parts.outbox.backlog();
  }

  /**
   * Number of batches of the service with an overdue notification; undefined if the bus has no store of batches.
   *
   * @internal alerts
   */
  async overdueBatches(): Promise<number | undefined> {
    const { stores } = this.parts.settings;
    return (await stores.batches?.overdue(this.service, OVERDUE_AT_MOST))?.length;
  }

  /**
   * Watches redelivered messages that may have killed their process. Call it before `start()`.
   *
   * @internal a worker of `hopline work`
   */
  watchCrashes(watch: CrashWatch): void {
    this.life.watchCrashes(watch);
  }

  /**
   * Adds definitions. Call it before `start()`.
   *
   * @throws AlreadyStartedError
   * @internal a container that makes the bus before the handlers that the bus is injected into
   */
  addHandlers(definitions: readonly HandlerDefinition[]): void {
    if (this.life.state !== 'new') throw new AlreadyStartedError('a handler was added');
    this.parts.definitions.push(...definitions);
  }

  /**
   * What is injected for Publisher and Requester, whichever handlers there will be.
   *
   * @internal a container that injects before the handlers are known
   */
  injected(): Requester {
    return this.parts.injected();
  }

  /**
   * Writes no lines of failures until the returned function is called.
   *
   * @internal `logEvents()` of `hopline/logs`, which writes them
   */
  muteFailureLog(): () => void {
    return this.parts.failureLog?.mute() ?? (() => {});
  }
}
