import { CancelledError, ChannelLostError, OptionsError, ShutdownError } from '../errors.js';
import type { BusEvents } from '../events.js';
import type { Names } from '../topology/names.js';
import type { Delivery, TransportSession } from '../transport/transport.js';
import type { Clock } from '../util/clock.js';
import type { Deadline } from '../util/deadline.js';
import type { Emitter } from '../util/emitter.js';
import type { Logger } from '../util/logger.js';
import { Circuits } from './circuits.js';
import { Gate, type Work } from './concurrency.js';
import type { ConsumerEvents } from './consumer-events.js';
import { Dispatcher, type DispatcherOptions } from './dispatch.js';
import { giveBack } from './give-back.js';
import { LaneRunner } from './lane-runner.js';
import { warnOfLongHandlers } from './long-handlers.js';
import { OperatorPauses } from './operator-pauses.js';
import { COME_BACK_SOON, type Outcome } from './outcome.js';
import { isPack, Pack, receivedItems, settledWith } from './pack.js';
import { SUSPECT_AFTER } from './prefetch-window.js';
import { type Received, receive } from './received.js';
import { type Match, Registry } from './registry.js';
import type { ServedLane, Serving } from './serving.js';
import { Settler, type SettlerOptions } from './settle.js';
import { StarvedLanes } from './starved-lanes.js';
import type { HandlerStatus, PlacesStatus } from './status.js';
import { type Handler, MAX_PREFETCH } from './subscription.js';
import { type EndedAttempts, type Workload, workloadOf } from './workload.js';

export interface RunnerOptions {
  readonly names: Names;
  readonly session: TransportSession;
  readonly clock: Clock;
  readonly log: Logger;
  readonly consumerEvents: ConsumerEvents;
  readonly service: string;
  readonly events: Emitter<BusEvents>;
  readonly settler: Omit<SettlerOptions, 'onHold' | 'onRelease' | 'queueOf'>;
  readonly dispatcher: Omit<DispatcherOptions, 'settler' | 'handlers' | 'stopping' | 'onEnded'>;
}

/**
 * Runs what shares one set of places, which is a queue with all its lanes, or several queues: takes their deliveries,
 * lets them start when there is room, and ends in order.
 */
export class Runner {
  /** What finds the handler of a message, for each lane. */
  private readonly registries: readonly Registry[];
  private readonly gate: Gate;
  private readonly dispatcher: Dispatcher;
  private readonly settler: Settler;
  private readonly lanes: readonly LaneRunner[];
  private readonly starved: StarvedLanes;
  private readonly circuits: Circuits;
  private readonly pauses: OperatorPauses;
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
    const { subscriptions, lanes, concurrency, order } = serving;
    this.places = concurrency;
    const registryOf = new Map(subscriptions.map((each) => [each, new Registry(each.handlers)]));
    this.registries = lanes.map(({ subscription }) => registryOf.get(subscription) as Registry);
    this.gate = new Gate(concurrency, (work) => this.run(work), lanes.length, order);
    this.settler = new Settler({
      ...options.settler,
      queueOf: (lane) => (lanes[lane] as ServedLane).subscription.queue,
      onHold: (error) => this.hold(error),
      onRelease: () => this.release(),
    });
    const settle = (work: Work, outcome: Outcome) => this.settle(work, outcome);
    const { handlers } = this;
    this.dispatcher = new Dispatcher({
      ...options.dispatcher,
      handlers,
      settler: { settle, endBroken: (work, error) => this.settler.endBroken(work, error) },
      onEnded: (handler, isFailure) => this.circuits.ended(handler, isFailure),
      stopping: this.stopping,
    });
    this.lanes = lanes.map((lane, index) => this.laneRunner(lane, index));
    const back = (waiting: readonly Work[]) => this.giveBack(waiting);
    this.starved = new StarvedLanes(this.gate, this.lanes, options.clock, options.log, back);
    this.pauses = new OperatorPauses(this.gate, this.lanes, back);
    this.circuits = new Circuits({
      ...options,
      handlers,
      gate: this.gate,
      lanes: this.lanes,
      giveBack: back,
    });
  }

  get queues(): readonly string[] {
    return this.serving.subscriptions.map(({ queue }) => queue);
  }

  async start(): Promise<void> {
    const { dispatcher, log } = this.options;
    for (const each of this.serving.subscriptions) warnOfLongHandlers(each, dispatcher.timeoutGraceMs, log);
    await Promise.all(this.lanes.map((lane) => lane.start()));
    this.starved.start();
  }

  /** First stage of stopping: takes no more, and gives back what has not started. */
  async stopConsuming(): Promise<void> {
    this.stopping.isStopping = true;
    this.starved.stop();
    this.circuits.stop();
    const cancelling = this.lanes.map((lane) => lane.cancel());
    const waiting = this.gate.takeWaiting();
    // Given back before that, they would come again at once, and each time be charged as a failed delivery.
    await Promise.all(cancelling);
    this.giveBack(waiting);
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

  /** Pauses what is among these, queues or lanes of queues, and lets all else go on. Before the start, too. */
  setPaused(paused: ReadonlySet<string>): void {
    const namesOf = new Map(this.serving.lanes.map((lane) => [lane.queue, lane.subscription.queue]));
    this.pauses.apply((queue) => paused.has(queue) || paused.has(namesOf.get(queue) as string));
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
      lane.resizePrefetch(this.prefetchOf(this.serving.lanes[index] as ServedLane));
    this.gate.resize(places);
  }

  get status(): PlacesStatus {
    const { running, waitingCount: waiting, isHeld: held } = this.gate;
    const lanes = this.lanes.map(({ queue, pausedFor: paused }, index) => ({
      queue,
      of: (this.serving.lanes[index] as ServedLane).subscription.queue,
      paused,
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
    const consumed = this.lanes.filter(({ pausedFor }) => !pausedFor.includes('operator'));
    const asked = consumed.map(async ({ queue }) => ({
      queue,
      ready: (await session.inspect(queue))?.ready ?? 0,
    }));
    const places = consumed.length === 0 ? 0 : this.places;
    const { running, waitingCount: waiting } = this.gate;
    return workloadOf(await Promise.all(asked), { queues: this.queues, places, running, waiting, ...ended });
  }

  /** Last stage: the channels go, and with them what is not settled goes back to the queue. */
  async close(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }

  private laneRunner(lane: ServedLane, index: number): LaneRunner {
    return new LaneRunner(lane, {
      ...this.options,
      prefetch: this.prefetchOf(lane),
      onDelivery: (delivery) => this.admit(delivery, index),
      onLost: (queue, reason) => this.lost(queue, reason),
    });
  }

  /** While one fills all places its next ones must be here, or one that is served later would get their places. */
  private prefetchOf({ subscription }: ServedLane): number {
    const { lanes, concurrency, subscriptions } = this.serving;
    const { places } = this;
    const own = Math.ceil((subscription.prefetch * places) / concurrency);
    const wanted = subscriptions.length === 1 ? own : Math.max(own, places * (lanes.length > 1 ? 2 : 1));
    return Math.min(wanted, MAX_PREFETCH);
  }

  private admit(delivery: Delivery, lane: number): void {
    const received = receive(delivery, this.options.names);
    const match = this.registries[lane]?.find(received.routingKey);
    // One that is over the cap is dead-lettered for that, and one without a handler comes back as it is.
    const { maxBodyBytes } = this.options.dispatcher;
    if (match && isPack(delivery) && delivery.body.length <= maxBodyBytes)
      this.admitPack(received, match, lane);
    else this.gate.push({ received, match, lane });
  }

  private admitPack(received: Received, match: Match, lane: number): void {
    const { delivery } = received;
    let pack: Pack;
    try {
      pack = new Pack(delivery);
    } catch (error) {
      this.gate.push({
        received,
        match,
        lane,
        decided: { kind: 'dead-letter', reason: 'undecodable', error },
      });
      return;
    }
    // One of them may be what kills the process: each then travels on with a delivery limit of its own.
    const decided = delivery.deliveryCount >= SUSPECT_AFTER ? COME_BACK_SOON : undefined;
    for (const item of receivedItems(received, pack))
      this.gate.push({ received: item, match, lane, decided });
  }

  private giveBack(waiting: readonly Work[]): void {
    const given = giveBack(waiting, (work, outcome) =>
      this.settler.settle(work, outcome)?.catch((error) => this.broken(work, error)),
    );
    this.returning = Promise.all([this.returning, given]);
  }

  private lost(queue: string, reason: Error): void {
    this.gate.dropLost();
    this.settler.lost();
    const error = new ChannelLostError(queue, { cause: reason });
    this.dispatcher.abort(error, ({ delivery }) => delivery.lost);
  }

  private hold(error: unknown): void {
    const wasHeld = this.gate.isHeld;
    this.gate.hold();
    if (wasHeld) return;
    for (const { queue } of this.lanes) this.options.consumerEvents.paused(queue, 'unpublishable', error);
  }

  private release(): void {
    this.gate.release();
    if (this.gate.isHeld) return;
    for (const { queue } of this.lanes) this.options.consumerEvents.resumed(queue, 'unpublishable');
  }

  private run(work: Work): void {
    let running: Promise<void> | undefined;
    try {
      running = this.dispatcher.dispatch(work);
    } catch (error) {
      running = Promise.reject(error);
    }
    if (running === undefined) this.ended(work);
    else void running.catch((error) => this.broken(work, error)).then(() => this.ended(work));
  }

  private ended(work: Work): void {
    this.gate.done(work);
    this.circuits.done();
    this.starved.wakeIfRoom();
  }

  /** A bug of ours: nobody knows what has become of the message, but it ends, and is seen. Never rejects. */
  private broken(work: Work, error: unknown): Promise<void> {
    const { messageId, delivery } = work.received;
    this.options.log.error({ queue: delivery.queue, messageId, error }, 'dispatch failed');
    return this.dispatcher.endBroken(work, error);
  }

  private settle(work: Work, outcome: Outcome): Promise<void> | undefined {
    const { settler } = this;
    const whole = settledWith(work.received.delivery);
    const resizing = whole && this.lanes[work.lane]?.settled(whole);
    return resizing === undefined
      ? settler.settle(work, outcome)
      : resizing.then(() => settler.settle(work, outcome));
  }
}

/** How long before the deadline of stopping the signals of running handlers fire. */
const SIGNAL_AHEAD_MS = 5_000;
