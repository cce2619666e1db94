import type { BusDescription } from '../consume/handlers/bus-description.js';
import type { HandlerDefinition } from '../consume/handlers/definition.js';
import { describeBus } from '../consume/handlers/describe.js';
import type { ServeOptions } from '../consume/handlers/serve-options.js';
import { hasFeature, planSubscriptions, type Subscription } from '../consume/handlers/subscription.js';
import type { BusEvents } from '../events.js';
import { Jobs } from '../features/job/jobs.js';
import { withoutJobs } from '../features/job/options.js';
import { Outbox } from '../features/outbox/outbox.js';
import { InjectedRequester } from '../features/publishes/injected.js';
import { AttemptScope } from '../features/publishes/scope.js';
import { RequestCalls } from '../features/request/calls.js';
import { PendingRequests } from '../features/request/pending-requests.js';
import { type ExchangeRef, exchangeRef } from '../message/exchange-option.js';
import type { Requester, Senders } from '../message/requests/requester.js';
import { FailureLog } from '../observe/failure-log/failure-log.js';
import { HealthMonitor } from '../observe/health/health-monitor.js';
import { throughMiddleware } from '../pipeline/middleware-sender.js';
import { type PublishMiddleware, publishMiddlewareOf, wrapping } from '../pipeline/publish-middleware.js';
import type { DirectSender, LeavingSender } from '../pipeline/sender.js';
import { tracingOf } from '../pipeline/tracing/tracers.js';
import type { TracedSending } from '../pipeline/tracing/tracing-sender.js';
import { BusPublisher } from '../publish/publisher.js';
import { Names } from '../topology/names.js';
import { toMs } from '../util/duration.js';
import { Emitter } from '../util/emitter.js';
import { hasSharedLeases, leased } from './leases.js';
import { Lifecycle } from './lifecycle.js';
import type { LivingParts } from './living-parts.js';
import { type BusOptions, type BusSettings, busSettings } from './options.js';
import { warnOfReloads } from './reloads.js';

/** Parts of a bus, assembled from its options. The order in which they start and stop is in {@link Lifecycle}. */
export class BusParts {
  readonly settings: BusSettings;
  readonly events: Emitter<BusEvents>;
  readonly publisher: BusPublisher;
  readonly requests: PendingRequests;
  /** Undefined if the stores have none. */
  readonly jobs: Jobs | undefined;
  /** The ways of what the bus publishes and asks, through its publish middleware. */
  readonly senders: Senders;
  readonly outbox: Outbox;
  readonly monitor: HealthMonitor;
  readonly life: Lifecycle;
  /** Undefined if failures are not logged. */
  readonly failureLog: FailureLog | undefined;
  /** Handlers of the options, and those that `handle()` has added. */
  readonly definitions: HandlerDefinition[];
  private readonly names: Names;
  private readonly exchange: ExchangeRef;
  private readonly traced: TracedSending | undefined;
  private readonly scope = new AttemptScope();

  /** @throws OptionsError with all problems at once */
  constructor(options: BusOptions) {
    const settings = busSettings(options);
    const { service, log, transport, stores } = settings;
    const { clock } = transport;
    const names = new Names(settings.prefix, settings.delayPrefix);
    const exchange = exchangeRef(settings.exchange);
    const events = new Emitter<BusEvents>((event, error) => log.error({ event, error }, 'a listener threw'));
    const monitor = new HealthMonitor(service, events, clock);
    const everyMs = settings.failureSumsEveryMs;
    this.failureLog = everyMs === undefined ? undefined : new FailureLog(events, { log, clock, everyMs });
    const tracing = tracingOf(settings.middleware, { service, kind: transport.kind, clock, log });
    const traced = tracing && { tracing, exchange, clock };
    warnOfReloads(settings, events);
    const life = new Lifecycle({ settings, names, exchange, events, monitor, tracing });
    this.settings = settings;
    this.names = names;
    this.exchange = exchange;
    this.events = events;
    this.monitor = monitor;
    this.life = life;
    this.traced = traced;
    this.definitions = [...settings.handlers];
    const middleware = publishMiddlewareOf(settings.middleware);
    const session = () => life.openSession();
    this.requests = new PendingRequests({ ...settings, events, clock, session });
    const abort = (messageId: string) => life.cancelMessage(messageId);
    this.jobs = stores.jobs && new Jobs({ ...settings, store: stores.jobs, names, clock, session, abort });
    this.publisher = new BusPublisher({
      ...settings,
      exchange,
      events,
      clock,
      session,
      ask: (request) => this.requests.ask(request),
      ensureExchange: (ref) => life.ensureExchange(ref),
      wholeExchange: (ref) => life.wholeExchange(ref),
      uniqueHandlers: () => life.uniqueHandlers,
      wrap: middleware.length > 0 ? wrapping(middleware) : undefined,
      tracing,
      jobs: this.jobs,
    });
    const { steps } = this.publisher;
    this.senders = this.sendersWith([]);
    this.outbox = new Outbox({ ...settings, middleware, traced, store: stores.outbox, steps, clock, events });
  }

  /** @throws OptionsError if the stores have none */
  get jobsOfStore(): Jobs {
    if (this.jobs) return this.jobs;
    throw withoutJobs();
  }

  /** @throws OptionsError for problems of the handlers */
  describe(): BusDescription {
    return describeBus({ ...this.settings, names: this.names, exchange: this.exchange }, this.plan());
  }

  /** Parts that start and stop with the bus. */
  livingFor(bus: Requester): LivingParts {
    const { publisher, requests, jobs, outbox, scope, senders } = this;
    return {
      sending: {
        sendersOf: (inner) => (inner.length === 0 ? senders : this.sendersWith(inner)),
        steps: publisher.steps,
        batches: publisher.batches,
        records: jobs?.records,
        throughOutbox: (add, inner) => outbox.adding(add, inner),
        through: (inner) => this.through(inner),
        drafts: publisher.drafts,
        scope,
      },
      publisher,
      requests,
      jobs,
      outbox,
      subscriptions: (serve) => this.plan(serve),
      prepare: async (subscriptions) => {
        const prepared = this.definitions.filter(({ prepare }) => prepare);
        const isScoped = prepared.length > 0 && hasFeature('publishes', subscriptions);
        const injected = isScoped ? this.injected() : bus;
        for (const { prepare } of prepared) await prepare?.(injected);
      },
    };
  }

  /** What is injected for Publisher and Requester: within an attempt that keeps its publishes, the attempt's. */
  injected(): Requester {
    return new InjectedRequester(this.scope, this.senders);
  }

  /** What a handler publishes and asks by. @param inner its publish middleware */
  private sendersWith(inner: readonly PublishMiddleware[]): Senders {
    const { publisher, requests, exchange, settings } = this;
    const sender = this.through(inner)(publisher);
    return { sender, requests: new RequestCalls(requests, sender, exchange, settings.transport.clock) };
  }

  /** Gives senders behind the tracer and the publish middleware of the bus. @param inner that of a handler, inside these */
  private through(inner: readonly PublishMiddleware[]): (direct: DirectSender) => LeavingSender {
    const middleware = [...publishMiddlewareOf(this.settings.middleware), ...inner];
    return throughMiddleware(middleware, this.traced);
  }

  private plan({ concurrency: slots, retry, timeout }: ServeOptions = {}): Subscription[] {
    const { settings, exchange } = this;
    const planned = planSubscriptions(this.definitions, {
      ...settings,
      exchange,
      slots,
      retry: { ...settings.retry, ...retry },
      timeoutMs: timeout === undefined ? settings.timeoutMs : toMs(timeout),
      hasInbox: settings.stores.inbox !== undefined,
      hasCheckpoints: settings.stores.checkpoints !== undefined,
      hasSharedLeases: hasSharedLeases(settings),
      hasSemaphores: settings.stores.semaphores !== undefined,
    });
    return planned.map((each) => leased(each, settings));
  }
}
