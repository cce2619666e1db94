import { CancelledError, ChannelLostError, OptionsError, ShutdownError } from '../../errors.js';
import type { BusEvents } from '../../events.js';
import { Circuits } from '../../features/circuit-breaker/circuits.js';
import { returned, settledWith } from '../../features/pack/pack.js';
import { Uniques } from '../../features/unique/uniques.js';
import type { Work } from '../../pipeline/work.js';
import type { Names } from '../../topology/names.js';
import type { TransportSession } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import type { Deadline } from '../../util/deadline.js';
import type { Emitter } from '../../util/emitter.js';
import type { Logger } from '../../util/logger.js';
import { Attempts } from '../attempt/attempts.js';
import { Dispatcher, type DispatcherOptions } from '../attempt/dispatch.js';
import { keptForMs, warnOfLongHandlers } from '../handlers/long-handlers.js';
import { prefetchOf, type ServedLane, type Serving } from '../handlers/serving.js';
import type { Handler } from '../handlers/subscription.js';
import type { ConsumerEvents } from '../report/consumer-events.js';
import type { HandlerStatus, PlacesStatus } from '../report/status.js';
import { type EndedAttempts, type Workload, workloadOf } from '../report/workload.js';
import { dueEffects } from '../settle/due.js';
import { Settler, type SettlerOptions } from '../settle/settle.js';
import { Gate } from './concurrency.js';
import type { CrashWatch } from './crash-watch.js';
import { giveBack } from './give-back.js';
import { Intake } from './intake.js';
import { strictOrder } from './lane-order.js';
import { LaneRunner } from './lane-runner.js';
import { LongWaits } from './long-waits.js';
import { Pause } from './pause.js';

export interface RunnerOptions {
  readonly names: Names;
  readonly session: TransportSession;
  readonly clock: Clock;
  readonly log: Logger;
  readonly consumerEvents: ConsumerEvents;
  readonly service: string;
  readonly events: Emitter<BusEvents>;
  readonly settler: Omit<SettlerOptions, 'onHold' | 'onRelease' | 'queueOf' | 'effects'>;
  readonly dispatcher: Omit<DispatcherOptions, 'uniques' | 'handlers' | 'stopping' | 'onEnded'>;
  readonly publishDeadlineMs: number;
  /** Asked before a redelivered message begins. */
  readonly crashWatch?: CrashWatch | undefined;
}

/**
 * Runs what shares one set of places, which is a queue with all its lanes, or several queues: takes their deliveries,
 * lets them start when there is room, and ends in order.
 */
export class Runner {
  private readonly gate: Gate;
  private readonly intake: Intake;
  private readonly dispatcher: Dispatcher;
  private readonly attempts: Attempts;
  private readonly settler: Settler;
  private readonly lanes: readonly LaneRunner[];
  private readonly longWaits: LongWaits;
  private readonly circuits: Circuits;
  private readonly pause: Pause;
  /** How many messages run at once. */
  private places: number;
  /** What contexts know of it. */
  private readonly stopping = { isStopping: false };
  /** What is given back and not on its way yet. */
  private returning: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly serving: Serving,
    private readonly options: RunnerOptions,
  ) {
    const { lanes, concurrency, order } = serving;
    this.places = concurrency;
    this.pause = new Pause(options.consumerEvents);
    const uniques = new Uniques(options.dispatcher);
    const settler = this.settlerFor(uniques);
    this.settler = settler;
    const { handlers, stopping, pause } = this;
    this.dispatcher = new Dispatcher({
      ...options.dispatcher,
      handlers,
      uniques,
      onEnded: (work, isFailure) => this.circuits.ended(work, isFailure),
      stopping,
    });
    const { dispatcher } = this;
    this.attempts = new Attempts({
      ...{ ...options, ...options.dispatcher, dispatcher, settler, stopping, handlers },
      isPaused: () => this.circuits.isOpen,
      settling: (delivery, lane) => this.lanes[lane]?.settled(delivery),
      onEnded: (work) => this.ended(work),
    });
    const gate = new Gate({
      ...{ limit: concurrency, start: this.attempts.begin, pause, lanes: lanes.length, order },
      onBlocked: () => this.widen(),
    });
    this.gate = gate;
    options.crashWatch?.watch(gate);
    this.intake = new Intake({
      ...{ names: options.names, maxBodyBytes: options.dispatcher.maxBodyBytes, lanes, gate },
      onAdmitted: () => this.longWaits.watch(),
    });
    this.lanes = lanes.map((lane, index) => this.laneRunner(lane, index));
    pause.governs(this.lanes, () => gate.pump());
    const back = (waiting: readonly Work[]) => this.giveBack(waiting);
    const shared = { ...options, gate, pause, giveBack: back };
    this.longWaits = new LongWaits({
      ...shared,
      lanes: this.lanes.map((lane, index) => ({
        lane,
        mayStarve: index > 0 && order === strictOrder,
        prefetch: () => prefetchOf(lanes[index] as ServedLane, serving, this.places),
      })),
      places: () => this.places,
    });
    this.circuits = new Circuits({ ...shared, handlers });
  }

  get queues(): readonly string[] {
    return this.serving.subscriptions.map(({ queue }) => queue);
  }

  async start(): Promise<void> {
    const { dispatcher, log, session } = this.options;
    for (const each of this.serving.subscriptions)
      warnOfLongHandlers(each, dispatcher.timeoutGraceMs, session.brokerInfo.consumerTimeoutBy, log);
    await Promise.all(this.lanes.map((lane) => lane.start()));
  }

  /** First stage of stopping: takes no more, and gives back what has not started. */
  async stopConsuming(): Promise<void> {
    this.stopping.isStopping = true;
    this.dispatcher.stopGathering();
    this.longWaits.stop();
    this.circuits.stop();
    this.pause.stop();
    await Promise.all(this.lanes.map((lane) => lane.cancel()));
    // Only now: given back before that, they would come again at once.
    this.giveBack(this.gate.takeWaiting());
    this.options.crashWatch?.stop();
  }

  /** Second stage: what runs may finish; near the deadline its signals fire. True if everything ended in time. */
  async finish(deadline: Deadline): Promise<boolean> {
    const idle = Promise.all([this.gate.idle(), this.returning]).then(() => true);
    const { clock } = this.options;
    const graceMs = Math.min(SIGNAL_AHEAD_MS, deadline.remainingMs / 4);
    const timer = clock.setTimer(() => this.cancel(), Math.max(0, deadline.remainingMs - graceMs));
    const ended = await deadline.race(idle, () => new ShutdownError()).catch(() => false);
    timer.cancel();
    return ended;
  }

  /** Fires the signals of all that runs. */
  cancel(): void {
    this.dispatcher.abort(new ShutdownError(), () => true);
  }

  /** Fires the signal of a message that runs; says how many of them do. */
  cancelMessage(messageId: string): number {
    return this.dispatcher.abort(new CancelledError(), (received) => received.messageId === messageId);
  }

  /**
   * Takes no more of what is among these, queues or lanes of queues, and lets all else go on. Before the start, too. What
   * was fetched is finished.
   */
  setPaused(paused: ReadonlySet<string>): void {
    for (const [index, { queue, subscription }] of this.serving.lanes.entries()) {
      const isWanted = paused.has(queue) || paused.has(subscription.queue);
      if (isWanted === this.pause.reasonsOf(index).includes('operator')) continue;
      if (isWanted) void this.pause.add('operator', [index]);
      else this.pause.remove('operator', [index]);
    }
  }

  /**
   * Changes how many messages run at once, and what is fetched ahead with it.
   *
   * @throws OptionsError if a handler's batch would not fit
   */
  scale(places: number): void {
    const largest = Math.max(0, ...this.handlers.map(({ batch }) => batch?.max ?? 0));
    if (places < largest)
      throw new OptionsError('scale', [
        `expected the concurrency to be at least ${largest}, the messages of a handler's batch; got ${places}`,
      ]);
    this.places = places;
    for (const [index, lane] of this.lanes.entries())
      void lane.resizePrefetch(prefetchOf(this.serving.lanes[index] as ServedLane, this.serving, places));
    this.gate.resize(places);
  }

  get status(): PlacesStatus {
    const { running, waitingCount: waiting } = this.gate;
    const held = this.pause.has('unpublishable');
    const lanes = this.lanes.map(({ queue }, index) => ({
      queue,
      of: (this.serving.lanes[index] as ServedLane).subscription.queue,
      paused: this.pause.reasonsOf(index),
    }));
    return { queues: this.queues, lanes, places: this.places, running, waiting, held };
  }

  get handlers(): readonly Handler[] {
    return this.serving.subscriptions.flatMap(({ handlers }) => handlers);
  }

  circuitOf(handler: Handler): HandlerStatus['circuit'] {
    return this.circuits.stateOf(handler);
  }

  /**
   * @param ended what its handlers have done
   * @throws ConnectError if the broker can't be asked now
   */
  async workload(ended: EndedAttempts): Promise<Workload> {
    const { session } = this.options;
    const consumed = this.lanes.filter((_lane, index) => !this.pause.reasonsOf(index).includes('operator'));
    const asked = consumed.map(async ({ queue }) => ({
      queue,
      ready: (await session.inspect(queue))?.ready ?? 0,
    }));
    const places = consumed.length === 0 ? 0 : this.places;
    const { running, waitingCount: waiting } = this.gate;
    return workloadOf(await Promise.all(asked), { queues: this.queues, places, running, waiting, ...ended });
  }

  /** For a start that is given up. What goes back as a copy is on its way before its channel goes: it would come twice. */
  async abandon(): Promise<void> {
    await this.stopConsuming();
    await this.returning;
    await this.close();
  }

  /** Last stage: the channels go, and with them what is not settled goes back to the queue. */
  async close(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }

  private settlerFor(uniques: Uniques): Settler {
    const { options } = this;
    const queueOf = (lane: number) => (this.serving.lanes[lane] as ServedLane).subscription.queue;
    return new Settler({
      ...options.settler,
      queueOf,
      effects: dueEffects({ ...options, ...options.dispatcher, uniques, queueOf }),
      onHold: (error) => this.pause.hold(error),
      onRelease: () => this.pause.release(),
    });
  }

  private laneRunner(lane: ServedLane, index: number): LaneRunner {
    return new LaneRunner(lane, {
      ...this.options,
      prefetch: prefetchOf(lane, this.serving, this.places),
      keptForMs: keptForMs(this.handlers, this.options.dispatcher.timeoutGraceMs),
      blocked: () => this.gate.blockedIn(index),
      ...{ index, pause: this.pause, intake: this.intake },
      onResized: () => this.gate.tellIfBlocked(),
      onLost: (queue, reason) => this.lost(queue, reason),
    });
  }

  private giveBack(waiting: readonly Work[]): void {
    const given = giveBack(waiting, async (work, outcome) => {
      const { delivery } = work.received;
      const whole = settledWith(delivery);
      if (whole) this.lanes[work.lane]?.returned(whole);
      try {
        await work.inContext(() => this.settler.settle(work, returned(work, outcome)));
      } catch (error) {
        await this.attempts.broken(work, error);
      }
    });
    this.returning = Promise.all([this.returning, given]);
  }

  private widen(): void {
    const { gate, pause } = this;
    for (const [index, lane] of this.lanes.entries())
      if (pause.awaitsOne || gate.blockedIn(index) > 0) lane.widen();
  }

  private lost(queue: string, reason: Error): void {
    this.gate.dropLost();
    this.settler.lost();
    const error = new ChannelLostError(queue, { cause: reason });
    this.dispatcher.abort(error, ({ delivery }) => delivery.lost);
  }

  private ended(work: Work): void {
    this.gate.done(work);
    this.circuits.done(work);
    this.longWaits.wakeIfRoom();
  }
}

/** How long before the deadline of stopping the signals of running handlers fire. */
const SIGNAL_AHEAD_MS = 5_000;
