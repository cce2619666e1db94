import type { CrashWatch } from '../consume/attempt/crash-watch.js';
import { warnOfClassNames } from '../consume/handlers/class-names.js';
import { needsOf } from '../consume/handlers/long-handlers.js';
import type { ServeOptions } from '../consume/handlers/serve-options.js';
import { checkServeOptions, planServing, type Serving } from '../consume/handlers/serving.js';
import { hasFeature, type Subscription } from '../consume/handlers/subscription.js';
import { UniqueHandlers } from '../consume/handlers/unique-handlers.js';
import { Consumption } from '../consume/intake/consumption.js';
import { DeadLetterNotices } from '../consume/report/dead-letter-notices.js';
import { NOT_CONSUMING } from '../consume/report/status.js';
import type { ProcessStatus } from '../control/answer.js';
import type { BusControl, BusControlOptions } from '../control/bus-control.js';
import { ConnectError, NotStartedError, StoppedError } from '../errors.js';
import type { BusState } from '../events.js';
import { openKnowing } from '../kept/migrations/open-session.js';
import type { ExchangeRef } from '../message/exchange-option.js';
import { writeWithin } from '../pipeline/tracing/write-within.js';
import { KnownExchanges } from '../publish/known-exchanges.js';
import type { BusTopology } from '../topology/bus-topology.js';
import type { Session } from '../transport/transport.js';
import { systemClock } from '../util/clock.js';
import { Deadline } from '../util/deadline.js';
import { formatMs, toMs } from '../util/duration.js';
import { inRootContext } from '../util/root-context.js';
import type { LifecycleOptions, LivingParts } from './living-parts.js';
import { checkStopOptions, type StopOptions } from './stop-options.js';
import { CLOSING_RESERVE_MS, leftBehind, stopInStages } from './stopping.js';

/** What `stop()` ends beside the session. */
type EndingParts = Pick<LivingParts, 'publisher' | 'outbox' | 'requests' | 'jobs'>;

/** Life of a bus: the order in which its parts start and stop, and the clean-up if a start fails. */
export class Lifecycle {
  private readonly exchanges = new KnownExchanges((topology) => this.declareOnUse(topology));
  /** Aborts when `stop()` no longer waits for retries and dead letters that can't be published. */
  private readonly giveUp = new AbortController();
  private crashWatch: CrashWatch | undefined;
  private unique: UniqueHandlers | undefined;
  private running: Consumption | undefined;
  private control: BusControl | undefined;
  private session: Session | undefined;
  private phase: BusState = 'new';
  /** Monotonic milliseconds. */
  private startedAt: number | undefined;
  private starting: Promise<void> | undefined;
  private startDeadline: Deadline | undefined;
  private stopping: Promise<void> | undefined;

  constructor(private readonly options: LifecycleOptions) {}

  get state(): BusState {
    return this.phase;
  }

  /** What consumes; undefined while nothing does. */
  get consumption(): Consumption | undefined {
    return this.running;
  }

  /** See {@link Bus.status}. */
  get status(): ProcessStatus {
    const { events, monitor, settings } = this.options;
    const now = settings.transport.clock.monotonic();
    return {
      state: this.phase,
      version: settings.version,
      supervised: events.has('control.restart'),
      uptimeMs: Math.round(now - (this.startedAt ?? now)),
      memory: process.memoryUsage.rss(),
      lagMs: monitor.lagMs,
      ...(this.running?.status ?? NOT_CONSUMING),
    };
  }

  /** Handlers whose messages are unique; undefined before `start()` has begun. */
  get uniqueHandlers(): UniqueHandlers | undefined {
    return this.unique;
  }

  /** See {@link Bus.watchCrashes}. */
  watchCrashes(watch: CrashWatch): void {
    this.crashWatch = watch;
  }

  /** See {@link Bus.start}. */
  start(parts: LivingParts, serve: ServeOptions): Promise<void> {
    // Checks `stopping` instead of the phase: a start that was given up resets the phase to 'new', and another
    // start in that gap would outlive stop().
    if (this.stopping !== undefined) return Promise.reject(new StoppedError('start() was called'));
    this.starting ??= this.begin(parts, serve);
    return this.starting;
  }

  /** See {@link Bus.stop}. */
  async stop(parts: EndingParts, options: StopOptions): Promise<void> {
    checkStopOptions(options);
    this.stopping ??= this.end(parts, options);
    if (options.cancel) this.running?.cancel();
    await this.stopping;
  }

  /** The session for publishing. @throws NotStartedError, StoppedError */
  openSession(): Session {
    if (this.phase === 'stopped') throw new StoppedError('publish or send was called');
    if (!this.session || this.phase === 'new') throw new NotStartedError('publish or send was called');
    return this.session;
  }

  /** Fires the signals of a message's attempts, here or in whichever process runs it. @throws the errors of a publish */
  async cancelMessage(messageId: string): Promise<void> {
    if (this.running?.cancelMessage(messageId)) return;
    const { settings, names } = this.options;
    const { cancelElsewhere } = await import('../control/cancelling.js');
    await cancelElsewhere(messageId, { ...settings, names, session: this.openSession() });
  }

  /** Declares an exchange that no handler has named, at the first publish to it. */
  ensureExchange(exchange: ExchangeRef): Promise<void> {
    return this.exchanges.ensure(exchange);
  }

  /** An exchange with all that the bus says of it. */
  wholeExchange(exchange: ExchangeRef): ExchangeRef {
    return this.exchanges.whole(exchange);
  }

  private async begin(parts: LivingParts, serve: ServeOptions): Promise<void> {
    this.enter('starting');
    const { events, settings } = this.options;
    const deadline = new Deadline(settings.transport.clock, settings.startDeadlineMs);
    this.startDeadline = deadline;
    this.startedAt = settings.transport.clock.monotonic();
    try {
      checkServeOptions(serve);
      const subscriptions = parts.subscriptions(serve);
      const servings = planServing(subscriptions, serve);
      this.unique = UniqueHandlers.among(subscriptions);
      await parts.prepare(subscriptions);
      // Everything that starts here outlives the caller's trace span and async context.
      await inRootContext(() => this.beginToRun(parts, subscriptions, servings, deadline));
      this.enter('started');
      warnOfClassNames(subscriptions, settings.log);
    } catch (error) {
      await this.abandonStart(parts);
      events.emit('bus.startFailed', { service: settings.service, error: error as Error });
      throw this.stopping === undefined ? error : new StoppedError('start() was given up');
    }
  }

  private async beginToRun(
    parts: LivingParts,
    subscriptions: readonly Subscription[],
    servings: readonly Serving[],
    deadline: Deadline,
  ): Promise<void> {
    const { events, names, settings } = this.options;
    const consumes = subscriptions.length > 0;
    const opening = { ...settings, names, events, consumes };
    const { session, migrations } = await openKnowing(settings.transport, opening, deadline);
    this.session = session;
    writeWithin(session, this.options.tracing);
    await this.declare(session, subscriptions, deadline);
    const notices = new DeadLetterNotices(session, names, settings.transport.clock);
    const running = this.consumptionOf(parts, servings, session, notices);
    this.running = running;
    if (settings.operatorControl && consumes) {
      await this.hearOperators({ session, migrations, consumption: running, notices }, deadline);
    }
    await deadline.race(running.start(), () => this.notConsuming());
    if (settings.relayOutbox ?? hasFeature('inbox', subscriptions)) parts.outbox.startRelay();
    // The watch runs by real time, and must not disturb tests that move the clock.
    if (settings.transport.clock === systemClock) parts.publisher.batches.overdue.start();
  }

  private consumptionOf(
    { sending }: LivingParts,
    servings: readonly Serving[],
    session: Session,
    notices: DeadLetterNotices,
  ): Consumption {
    const { settings, names, events, tracing } = this.options;
    return new Consumption(servings, {
      ...settings,
      names,
      session,
      clock: settings.transport.clock,
      events,
      giveUp: this.giveUp.signal,
      ...sending,
      crashWatch: this.crashWatch,
      notices,
      tracing,
    });
  }

  private async hearOperators(
    parts: Pick<BusControlOptions, 'session' | 'migrations' | 'consumption' | 'notices'>,
    deadline: Deadline,
  ): Promise<void> {
    const { settings, names, events } = this.options;
    // With it come the schemas of its messages, which a bus that only publishes has no use for.
    const { BusControl } = await import('../control/bus-control.js');
    this.control = new BusControl({
      ...settings,
      ...parts,
      names,
      clock: settings.transport.clock,
      events,
      status: () => this.status,
    });
    await this.control.start(deadline);
  }

  private notConsuming(): ConnectError {
    const { service, startDeadlineMs } = this.options.settings;
    return new ConnectError(
      `service '${service}' could not begin to consume within ${formatMs(startDeadlineMs)}: the broker does not answer`,
      'Check in the broker whether the queues have a leader, and check its load and alarms.',
    );
  }

  private async declare(
    session: Session,
    subscriptions: readonly Subscription[],
    deadline: Deadline,
  ): Promise<void> {
    const { exchange, settings, events } = this.options;
    const { queues, guards } = needsOf(subscriptions, settings.service);
    const topology = { exchanges: [exchange], queues, guards, delays: true };
    try {
      await session.declare(topology, settings.topology, deadline);
    } catch (error) {
      events.emit('topology.failed', { service: settings.service, error: error as Error });
      throw error;
    }
    this.exchanges.add(topology);
  }

  private async abandonStart({ requests, jobs }: Pick<LivingParts, 'requests' | 'jobs'>): Promise<void> {
    this.control?.stop();
    requests.end(false);
    jobs?.end(false);
    const closing = new Deadline(this.options.settings.transport.clock, CLOSING_RESERVE_MS);
    await closing.race(this.running?.abandon() ?? Promise.resolve(), () => new Error('late')).catch(() => {});
    await this.session?.close(closing).catch(() => {});
    this.running = undefined;
    this.session = undefined;
    this.starting = undefined;
    this.exchanges.clear();
    this.phase = 'new';
  }

  private async end(
    { publisher, outbox, requests, jobs }: EndingParts,
    { deadline: within, afterHandlers }: StopOptions,
  ): Promise<void> {
    // Half-started parts can't be stopped in order: end the start's deadline, so that the start itself takes
    // down what it has.
    if (this.phase === 'starting') this.startDeadline?.end();
    await this.starting?.catch(() => {});
    const { session, running: consumption } = this;
    if (!session || !consumption) {
      this.enter('stopped');
      return;
    }
    this.enter('stopping');
    this.control?.stop();
    // Messages that the relay does not publish any more stay safe in the outbox.
    const relayed = outbox.stopRelay();
    const lookedAfter = publisher.batches.overdue.stop();
    const handlersEnded = () => {
      this.giveUp.abort();
      publisher.flush();
      requests.end(true);
      jobs?.end(true);
    };
    const { service, transport, stopDeadlineMs } = this.options.settings;
    const deadlineMs = within === undefined ? stopDeadlineMs : toMs(within);
    const deadline = new Deadline(transport.clock, deadlineMs);
    const problems = await stopInStages(
      { session, consumption, relayed, lookedAfter, handlersEnded, afterHandlers },
      deadline,
    );
    this.enter('stopped');
    if (problems.length > 0) throw leftBehind(service, problems, deadlineMs);
  }

  private enter(state: Exclude<BusState, 'new'>): void {
    const { events, settings } = this.options;
    this.phase = state;
    events.emit(`bus.${state}`, { service: settings.service });
  }

  private declareOnUse(topology: BusTopology): Promise<void> {
    const { publishDeadlineMs, topology: mode, transport } = this.options.settings;
    return this.openSession().declare(topology, mode, new Deadline(transport.clock, publishDeadlineMs));
  }
}
