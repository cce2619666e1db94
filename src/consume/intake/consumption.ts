import { OptionsError } from '../../errors.js';
import { JobAttempts, type JobAttemptsOptions } from '../../features/job/attempts.js';
import { LimitsInForce, type SetLimit } from '../../features/limits/limits-in-force.js';
import { bindingKeyOf } from '../../message/routing/binding-option.js';
import { guardsQueueOf } from '../../topology/names.js';
import type { Clock } from '../../util/clock.js';
import type { Deadline } from '../../util/deadline.js';
import type { DispatcherOptions } from '../attempt/dispatch.js';
import { hasLeases, refuseUnheld } from '../handlers/long-handlers.js';
import type { Serving } from '../handlers/serving.js';
import type { Handler, Subscription } from '../handlers/subscription.js';
import { AttemptEvents } from '../report/attempt-events.js';
import { ConsumerEvents } from '../report/consumer-events.js';
import { FiguresOfHandler } from '../report/figures.js';
import type { RouteStatus, RunningStatus, SlowStatus } from '../report/messages.js';
import { ReplayReports } from '../report/replay-reports.js';
import type { ConsumingStatus, HandlerStatus, SlotGroupStatus } from '../report/status.js';
import { type EndedAttempts, sumOf, type Workload } from '../report/workload.js';
import type { SettlerOptions } from '../settle/settle.js';
import { applyLimits } from './apply-limits.js';
import { Guards } from './guards.js';
import { longestRunning } from './running-messages.js';
import { SlotGroup, type SlotGroupOptions } from './slot-group.js';

/** Options of the parts of all slot groups, flat. */
export type ConsumptionOptions = Omit<SlotGroupOptions, 'consumerEvents' | 'settler' | 'dispatcher'> &
  Omit<SettlerOptions, 'onHold' | 'onRelease' | 'queueOf' | 'effects' | 'replies' | 'events'> &
  Omit<
    DispatcherOptions,
    'handlers' | 'uniques' | 'stopping' | 'onEnded' | 'parking' | 'events' | 'limits' | 'jobs' | 'longJobs'
  > &
  Pick<JobAttemptsOptions, 'records'> & {
    /** True if operators are heard, and told how what they replay ends. */
    readonly operatorControl?: boolean;
  };

/** What handlers publish through, now and later. */
export type Sending = Pick<
  ConsumptionOptions,
  'sendersOf' | 'steps' | 'batches' | 'records' | 'throughOutbox' | 'through' | 'drafts' | 'scope'
>;

/** Consumption of a bus: its slot groups, started together and stopped in the same stages. */
export class Consumption {
  /** True if what its handlers count in stores is counted in this process alone. */
  readonly countsAlone: boolean;
  private readonly groups: readonly SlotGroup[];
  /** Those whose messages another process could take as well. */
  private readonly shared: readonly SlotGroup[];
  private readonly figures: ReadonlyMap<Handler, FiguresOfHandler>;
  private readonly clock: Clock;
  private readonly limits = new LimitsInForce();
  private readonly subscriptions: readonly Subscription[];
  /** Undefined if no handler here runs under a lease. */
  private readonly guards: Guards | undefined;

  constructor(
    servings: readonly Serving[],
    private readonly options: ConsumptionOptions,
  ) {
    const { service, events, clock } = options;
    this.figures = figuresOf(servings, clock.monotonic());
    this.clock = clock;
    this.subscriptions = servings.flatMap(({ subscriptions }) => subscriptions);
    const { leases } = options.stores;
    if (leases && this.subscriptions.some(hasLeases))
      this.guards = new Guards({ ...options, leases, queue: guardsQueueOf(service) });
    this.countsAlone = options.stores.isOfProcess === true;
    const { limits } = this;
    const jobs = new JobAttempts(options);
    const shared = {
      ...options,
      limits,
      jobs,
      events: new AttemptEvents(service, events, clock, this.figures),
    };
    const replays = options.operatorControl ? new ReplayReports(options) : undefined;
    const parts = {
      ...options,
      consumerEvents: new ConsumerEvents(service, events),
      settler: { ...shared, replays },
      dispatcher: shared,
    };
    this.groups = servings.map((serving) => new SlotGroup(serving, parts));
    this.shared = this.groups.filter((_group, index) => !isOfProcess(servings[index] as Serving));
  }

  /** @throws OptionsError if handlers run for longer than the broker waits, and nothing keeps their messages from running twice */
  async start(): Promise<void> {
    const { session } = this.options;
    refuseUnheld(this.subscriptions, this.options, session.brokerInfo.consumerTimeoutBy);
    await this.guards?.start();
    await Promise.all(this.groups.map((group) => group.start()));
  }

  async stopConsuming(): Promise<void> {
    await Promise.all([this.guards?.stop(), ...this.groups.map((group) => group.stopConsuming())]);
  }

  /** Resolves with the queues whose handlers still run at the deadline. */
  async finish(deadline: Deadline): Promise<string[]> {
    const finished = await Promise.all(this.groups.map((group) => group.finish(deadline)));
    return this.groups.filter((_group, index) => !finished[index]).flatMap(({ queues }) => queues);
  }

  /** @throws ConnectError if the broker can't be asked now */
  async workload(): Promise<Workload> {
    const errors: unknown[] = [];
    const asked = this.shared.map((group) =>
      group.workload(this.endedIn(group), (error) => errors.push(error)),
    );
    const workload = sumOf(await Promise.all(asked));
    // One queue may have no leader; if none is known, it is the broker that does not answer.
    if (errors.length > 0 && errors.length === workload.queues.length) throw errors[0];
    return workload;
  }

  /** Fires the signals of all running handlers. */
  cancel(): void {
    for (const group of this.groups) group.cancel();
  }

  /** Fires the signals of the attempts at a message. @returns the number of them */
  cancelMessage(messageId: string): number {
    return this.groups.reduce((sum, group) => sum + group.cancelMessage(messageId), 0);
  }

  /** Pauses the queues and lanes with these names, and lets all others go on. */
  setPaused(paused: ReadonlySet<string>): void {
    for (const group of this.groups) group.setPaused(paused);
  }

  /** Takes nothing of the queues with these names, which are being migrated, and of all others again; also before the start. */
  setHeld(held: ReadonlySet<string>): void {
    for (const group of this.groups) group.setHeld(held);
  }

  /** Messages of a queue, or of one lane, that are here and not settled; undefined if it is not consumed here. */
  unsettledOf(queue: string): number | undefined {
    const own = this.groups.flatMap(({ lanes }) => lanes.filter((each) => each.queue === queue));
    return own.length === 0 ? undefined : own.reduce((sum, { unsettled }) => sum + unsettled, 0);
  }

  /** Puts these limits, and no others, in the place of the handlers' own, from their next message on; also before the start. */
  setLimits(limits: readonly SetLimit[]): void {
    const changed = this.limits.replace(limits, this.handlers);
    for (const { handlers, limited } of this.groups)
      applyLimits(
        handlers.filter((handler) => changed.includes(handler)),
        this.limits,
        limited,
      );
  }

  /** The handlers that are consumed here. */
  get handlers(): Handler[] {
    return [...this.figures.keys()];
  }

  /** Names in `paused` that keep a queue, or some of its lanes, from being consumed here. */
  pausesOf(queue: string, paused: ReadonlySet<string>): string[] {
    const lanes = this.groups.flatMap(({ status }) => status.lanes);
    const affected = lanes.filter((lane) => lane.queue === queue || lane.of === queue);
    return [...new Set(affected.flatMap((lane) => [lane.of, lane.queue]))].filter((name) => paused.has(name));
  }

  /** True for the name of a queue that is served here, or of a lane of one. */
  serves(queue: string): boolean {
    return this.groups.some(({ status }) => isAmong(status, queue));
  }

  /**
   * Changes the number of slots of a queue, and of the queues that share them.
   *
   * @throws OptionsError if a handler's batch would not fit, or if the name is that of a lane, which shares its queue's slots
   */
  scale(queue: string, slots: number): void {
    const lanes = this.groups.flatMap(({ status }) => status.lanes);
    const lane = lanes.find((each) => each.queue === queue && each.of !== queue);
    if (lane)
      throw new OptionsError('scale', [
        `'${queue}' is a lane and shares the slots of its queue: scale '${lane.of}'`,
      ]);
    for (const group of this.groups) if (group.queues.includes(queue)) group.scale(slots);
  }

  get status(): ConsumingStatus {
    const now = this.clock.monotonic();
    return {
      slotGroups: this.groups.map((group) => ({ ...group.status, busyMs: this.busyMs(group, now) })),
      handlers: this.groups.flatMap((group) => this.handlersOf(group, now)),
    };
  }

  /** Messages whose handlers run, the longest first. @param most maximum number of them */
  running(most: number): RunningStatus[] {
    const { groups, figures, clock } = this;
    return longestRunning(
      groups.flatMap(({ code }) => code.underWay),
      { figures, now: clock.monotonic(), most },
    );
  }

  /** The slowest attempts of each handler within the last minutes. */
  get slowest(): SlowStatus[] {
    const now = this.clock.monotonic();
    return [...this.figures].flatMap(([{ name: handler, queue }, { slowest }]) =>
      slowest.read(now).map((attempt) => ({ queue, handler, ...attempt })),
    );
  }

  /** How messages reach the handlers; how they come into a queue of someone else isn't known. */
  get routes(): RouteStatus[] {
    const bound = this.subscriptions.flatMap(({ declare, handlers }) => (declare ? handlers : []));
    return bound.flatMap(({ name: handler, queue, routes }) =>
      routes.map(({ exchange, pattern, binding }) => {
        const key = bindingKeyOf(exchange, pattern, binding);
        return {
          ...{ exchange: exchange.name, isDeclared: exchange.declare, pattern, queue, handler },
          ...(exchange.type && { type: exchange.type }),
          ...(key !== pattern && { key }),
        };
      }),
    );
  }

  /**
   * Closes the open circuits of the handlers of a queue that have this name.
   *
   * @returns the number of them; undefined if no handler of this name has a circuit breaker here
   */
  resetCircuit(queue: string, handler: string): number | undefined {
    const own = this.groups.flatMap((group) =>
      group.handlers
        .filter((each) => each.queue === queue && each.name === handler)
        .flatMap((each) => ({ group, handler: each, state: group.circuitOf(each) })),
    );
    const guarded = own.filter(({ state }) => state !== undefined);
    const open = guarded.filter(({ state }) => state !== 'closed');
    for (const each of open) each.group.resetCircuit(each.handler);
    return guarded.length === 0 ? undefined : open.length;
  }

  async close(): Promise<void> {
    await Promise.all([this.guards?.close(), ...this.groups.map((group) => group.close())]);
  }

  private handlersOf(group: SlotGroup, now: number): HandlerStatus[] {
    const { underWay, leftRunning } = group.code;
    const begun = [...leftRunning, ...underWay];
    return group.handlers.flatMap((handler) => {
      const figures = this.figures.get(handler);
      const own = begun.filter((each) => each.handler === handler);
      const longestMs =
        own.length === 0 ? undefined : now - Math.min(...own.map(({ startedAt }) => startedAt));
      const [circuit, limits] = [group.circuitOf(handler), this.limits.limitsOf(handler)];
      return figures ? [{ ...figures.read(now), longestMs, circuit, limits }] : [];
    });
  }

  private busyMs(group: SlotGroup, now: number): number {
    return group.code.underWay.reduce(
      (sum, { startedAt }) => sum + now - startedAt,
      this.endedIn(group).busyMs,
    );
  }

  private endedIn({ handlers }: SlotGroup): EndedAttempts {
    const all = handlers.flatMap((handler) => this.figures.get(handler) ?? []);
    return {
      attempts: all.reduce((sum, { attempts }) => sum + attempts, 0),
      busyMs: all.reduce((sum, { busyMs }) => sum + busyMs, 0),
    };
  }

  /** For a start that is given up: a group that can't be cancelled is closed all the same. */
  async abandon(): Promise<void> {
    await this.guards?.stop().catch(() => {});
    await Promise.allSettled([this.guards?.close(), ...this.groups.map((group) => group.abandon())]);
  }
}

function figuresOf(servings: readonly Serving[], now: number): Map<Handler, FiguresOfHandler> {
  return new Map(
    servings.flatMap(({ subscriptions }) =>
      subscriptions.flatMap(({ queue, handlers }) =>
        handlers.map(
          (handler) => [handler, new FiguresOfHandler(handler.name, queue, handler.timeoutMs, now)] as const,
        ),
      ),
    ),
  );
}

const isOfProcess = ({ subscriptions }: Serving): boolean =>
  subscriptions.some(({ kind }) => kind === 'process');

const isAmong = ({ queues, lanes }: Pick<SlotGroupStatus, 'queues' | 'lanes'>, queue: string) =>
  queues.includes(queue) || lanes.some((lane) => lane.queue === queue);
