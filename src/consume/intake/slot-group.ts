import { CancelledError, ChannelLostError, OptionsError, ShutdownError } from '../../errors.js';
import type { BusEvents } from '../../events.js';
import { Circuits } from '../../features/circuit-breaker/circuits.js';
import { slotsProblem } from '../../features/handler-features.js';
import { returned, settledWith } from '../../features/pack/pack.js';
import { Uniques } from '../../features/unique/uniques.js';
import type { Work } from '../../pipeline/work.js';
import type { Names } from '../../topology/names.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import type { Deadline } from '../../util/deadline.js';
import type { Emitter } from '../../util/emitter.js';
import type { Logger } from '../../util/logger.js';
import { Attempts } from '../attempt/attempts.js';
import type { CrashWatch } from '../attempt/crash-watch.js';
import { Dispatcher, type DispatcherOptions } from '../attempt/dispatch.js';
import { strictOrder } from '../handlers/lane-order.js';
import { keptForMs, tellOfTimeout } from '../handlers/long-handlers.js';
import { prefetchOf, type ServedLane, type Serving } from '../handlers/serving.js';
import type { Handler } from '../handlers/subscription.js';
import type { ConsumerEvents } from '../report/consumer-events.js';
import type { DeadLetterNotices } from '../report/dead-letter-notices.js';
import type { HandlerStatus, SlotGroupStatus } from '../report/status.js';
import type { EndedAttempts, Workload } from '../report/workload.js';
import type { Settler, SettlerOptions } from '../settle/settle.js';
import type { LimitedParts } from './apply-limits.js';
import { Gate } from './gate.js';
import { groupSettler } from './group-settler.js';
import { groupStatus } from './group-status.js';
import { groupWorkload } from './group-workload.js';
import { Intake } from './intake.js';
import { LaneConsumer } from './lane-consumer.js';
import { LongJobs } from './long-jobs.js';
import { LongWaits } from './long-waits.js';
import { mayPark, parkingAt } from './parked.js';
import { Pause } from './pause.js';
import { returnUnstarted, takeUnstarted } from './return-unstarted.js';

export interface SlotGroupOptions {
  readonly names: Names;
  readonly session: Pick<Session, 'brokerInfo' | 'publish' | 'consume' | 'inspect'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly consumerEvents: ConsumerEvents;
  readonly service: string;
  readonly events: Emitter<BusEvents>;
  readonly settler: Omit<SettlerOptions, 'onHold' | 'onRelease' | 'queueOf' | 'effects' | 'replies'>;
  readonly dispatcher: Omit<DispatcherOptions, 'uniques' | 'handlers' | 'stopping' | 'onEnded' | 'parking'>;
  readonly publishDeadlineMs: number;
  /** Version of the application, for its dead letters. */
  readonly version?: string | undefined;
  /** Told of each dead letter that is confirmed. @default nobody */
  readonly notices?: Pick<DeadLetterNotices, 'tell'> | undefined;
  /** Asked before a redelivered message begins. */
  readonly crashWatch?: CrashWatch | undefined;
}

/** Queues that share one group of slots: takes their deliveries, starts each when a slot is free, and stops in order. */
export class SlotGroup {
  private readonly gate: Gate;
  private readonly intake: Intake;
  private readonly dispatcher: Dispatcher;
  private readonly attempts: Attempts;
  private readonly settler: Settler;
  readonly lanes: readonly LaneConsumer[];
  private readonly longWaits: LongWaits;
  private readonly longJobs: LongJobs | undefined;
  private readonly circuits: Circuits;
  private readonly pause: Pause;
  /** Maximum messages that run at once. */
  private slots: number;
  /** State that contexts can see. */
  private readonly stopping = { isStopping: false };
  /** Settles when all work that was returned is on its way. */
  private returning: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly serving: Serving,
    private readonly options: SlotGroupOptions,
  ) {
    const { lanes, concurrency, order } = serving;
    this.slots = concurrency;
    this.pause = new Pause(options.consumerEvents);
    const uniques = new Uniques(options.dispatcher);
    const forSettling = { ...options, ...options.dispatcher, ...options.settler };
    this.settler = groupSettler(serving, forSettling, uniques, this.pause);
    const { handlers, stopping, pause, settler } = this;
    this.longJobs = LongJobs.of(serving, { ...options, ...options.dispatcher });
    this.dispatcher = new Dispatcher({
      ...{ ...options.dispatcher, handlers, uniques, stopping },
      onEnded: (work, isFailure) => this.circuits.ended(work, isFailure),
      longJobs: this.longJobs?.parts,
      parking: parkingAt(
        () => this.gate,
        ({ lane }) => this.lanes[lane]?.mostAside ?? 0,
      ),
    });
    this.attempts = new Attempts({
      ...{ ...options, ...options.dispatcher, dispatcher: this.dispatcher, settler, stopping, handlers },
      isPaused: () => this.circuits.isOpen,
      settling: (delivery, lane) => this.lanes[lane]?.settled(delivery),
      onEnded: (work) => this.ended(work),
    });
    const gate = new Gate({
      ...{ limit: concurrency, start: this.attempts.begin, pause, lanes: lanes.length, order },
      ...{ onBlocked: () => this.widen(), mayPark: mayPark(options.crashWatch) },
    });
    this.gate = gate;
    options.crashWatch?.watch(gate);
    this.intake = new Intake({
      ...{ ...options, maxBodyBytes: options.dispatcher.maxBodyBytes, lanes, gate },
      onAdmitted: () => this.longWaits.watch(),
    });
    this.lanes = lanes.map((lane, index) => this.laneConsumer(lane, index));
    pause.governs(this.lanes, () => gate.pump());
    const shared = { ...options, gate, pause, returnUnstarted: this.returnUnstarted };
    this.longWaits = new LongWaits({
      ...shared,
      lanes: this.lanes.map((lane, index) => ({
        lane,
        mayStarve: index > 0 && order === strictOrder,
        prefetch: () => prefetchOf(lanes[index] as ServedLane, serving, this.slots),
      })),
      slots: () => this.slots,
    });
    this.circuits = new Circuits({ ...shared, handlers });
  }

  get queues(): readonly string[] {
    return this.serving.subscriptions.map(({ queue }) => queue);
  }

  async start(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.start()));
  }

  /** First stage of stopping: takes no more, and returns work that has not started. */
  async stopConsuming(): Promise<void> {
    this.stopping.isStopping = true;
    this.dispatcher.closeCode();
    this.longWaits.stop();
    this.circuits.stop();
    this.pause.stop();
    await Promise.all(this.lanes.map((lane) => lane.cancel()));
    // Not earlier: messages returned before that would come again at once.
    this.returnUnstarted(this.gate.takeWaiting());
    this.options.crashWatch?.stop();
  }

  /** Second stage: running handlers may finish; near the deadline their signals fire. True if all ended in time. */
  async finish(deadline: Deadline): Promise<boolean> {
    const left = Promise.all(this.lanes.map((lane) => lane.left));
    const idle = Promise.all([this.gate.idle(), this.returning, left]).then(() => true);
    const { remainingMs } = deadline;
    const signalMs = Math.max(0, remainingMs - Math.min(SIGNAL_AHEAD_MS, remainingMs / 4));
    const timer = this.options.clock.setTimer(() => this.cancel(), signalMs);
    const ended = deadline.race(idle, () => new ShutdownError()).catch(() => false);
    return await ended.finally(() => timer.cancel());
  }

  /** Fires the signals of all running handlers. */
  cancel(): void {
    this.dispatcher.abort(new ShutdownError(), () => true);
  }

  /** Fires the signals of the attempts at a message. @returns the number of them */
  cancelMessage(messageId: string): number {
    return this.dispatcher.abort(new CancelledError(), ({ received }) => received.messageId === messageId);
  }

  /** Pauses the queues and lanes with these names, no others; also before the start. Messages that were fetched are finished. */
  setPaused(paused: ReadonlySet<string>): void {
    for (const [index, { queue, subscription }] of this.serving.lanes.entries())
      this.pause.set('operator', index, paused.has(queue) || paused.has(subscription.queue));
  }

  /** Takes nothing of the queues with these names, and of all others again. */
  setHeld(held: ReadonlySet<string>): void {
    for (const [index, { queue }] of this.lanes.entries())
      this.pause.set('migration', index, held.has(queue));
  }

  /** What changed limits of its handlers are applied to. */
  get limited(): LimitedParts {
    return { dispatcher: this.dispatcher, gate: this.gate };
  }

  /**
   * Changes the number of slots, and with it the prefetch.
   *
   * @throws OptionsError if the messages of a handler's call would not fit
   */
  scale(slots: number): void {
    const problem = slotsProblem(this.handlers, slots);
    if (problem) throw new OptionsError('scale', [problem]);
    this.slots = slots;
    for (const [index, lane] of this.lanes.entries())
      void lane.resizePrefetch(prefetchOf(this.serving.lanes[index] as ServedLane, this.serving, slots));
    this.gate.resize(slots);
  }

  /** Code that runs now. */
  get code(): Pick<Dispatcher, 'underWay' | 'leftRunning'> {
    return this.dispatcher;
  }

  get status(): Omit<SlotGroupStatus, 'busyMs'> {
    const { gate, pause, slots, serving, options } = this;
    const parts = { gate, pause, slots, underWay: this.dispatcher.underWay, consumers: this.lanes };
    return { queues: this.queues, ...groupStatus({ ...options, ...serving, ...parts }) };
  }

  get handlers(): readonly Handler[] {
    return this.serving.subscriptions.flatMap(({ handlers }) => handlers);
  }

  circuitOf(handler: Handler): HandlerStatus['circuit'] {
    return this.circuits.stateOf(handler);
  }

  resetCircuit(handler: Handler): void {
    this.circuits.reset(handler);
  }

  /**
   * @param ended counts of the handlers' attempts
   * @param onUnknown called with the error for each queue that the broker says nothing of
   */
  workload(ended: EndedAttempts, onUnknown: (error: unknown) => void): Promise<Workload> {
    const { gate, pause, lanes, queues, slots, options } = this;
    return groupWorkload({ ...options, ...ended, gate, pause, lanes, queues, slots, onUnknown });
  }

  /** For a start that is given up. Copies of returned messages are sent before the channel closes: else both would come. */
  async abandon(): Promise<void> {
    await this.stopConsuming();
    await this.returning;
    await this.close();
  }

  /** Last stage: closes the channels; unsettled messages go back to their queues. */
  async close(): Promise<void> {
    this.longJobs?.close();
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }

  private laneConsumer(lane: ServedLane, index: number): LaneConsumer {
    return new LaneConsumer(lane, {
      ...this.options,
      prefetch: prefetchOf(lane, this.serving, this.slots),
      keptForMs: keptForMs(this.handlers, this.options.dispatcher.timeoutGraceMs),
      blocked: () => this.gate.blockedIn(index),
      takeUnstarted: () => takeUnstarted(this.gate, index),
      occupied: () => this.longJobs?.withoutChannel ?? 0,
      ...{ index, pause: this.pause, intake: this.intake },
      onResized: () => this.gate.reportIfBlocked(),
      onLost: (queue, reason) => this.lost(queue, reason),
    });
  }

  private readonly returnUnstarted = (waiting: readonly Work[]): void => {
    const onItsWay = returnUnstarted(waiting, async (work, outcome) => {
      const { delivery } = work.received;
      const whole = settledWith(delivery);
      if (whole) this.lanes[work.lane]?.returned(whole);
      try {
        await work.inContext(() => this.settler.settle(work, returned(work, outcome)));
      } catch (error) {
        await this.attempts.broken(work, error);
      } finally {
        this.lanes[work.lane]?.ended();
      }
    });
    this.returning = Promise.all([this.returning, onItsWay]);
  };

  private widen(): void {
    for (const [index, lane] of this.lanes.entries())
      if (this.pause.awaitsOne || this.gate.blockedIn(index) > 0) lane.widen();
  }

  private lost(queue: string, reason: Error): void {
    this.gate.dropLost();
    this.settler.lost();
    tellOfTimeout(queue, reason, this.serving.subscriptions, this.options.dispatcher, this.options.log);
    this.longJobs?.channelLost(this.gate);
    this.dispatcher.abort(new ChannelLostError(queue, { cause: reason }), ({ isGone }) => isGone);
  }

  private ended(work: Work): void {
    this.gate.done(work);
    this.lanes[work.lane]?.ended();
    if (this.longJobs?.ended(work)) for (const lane of this.lanes) lane.slotFreed();
    this.circuits.done(work);
    this.longWaits.wakeIfRoom();
  }
}

/** Time before the stop's deadline at which the signals of running handlers fire. */
const SIGNAL_AHEAD_MS = 5_000;
