import type { Consumer, Delivery, DeliverySink, TransportSession } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import type { ServedLane } from '../handlers/serving.js';
import type { ConsumerEvents } from '../report/consumer-events.js';
import type { Intake } from './intake.js';
import type { Pause, PausedLane } from './pause.js';
import { PrefetchWindow } from './prefetch-window.js';
import { SingleActive } from './single-active.js';

export interface LaneConsumerOptions {
  readonly session: Pick<TransportSession, 'consume'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pause: Pick<Pause, 'takes'>;
  readonly prefetch: number;
  /** Longest time in milliseconds that a delivery may stay unsettled here. */
  readonly keptForMs: number;
  /** Amount of the lane's work that is here and can't start because its handlers are full. */
  blocked(): number;
  /** Number of slots that are held by messages whose channel is gone. @default 0 */
  occupied?(): number;
  /** Takes out the lane's work that has not begun, and returns its deliveries. @default none */
  takeUnstarted?(): readonly Delivery[];
  /** Position of the lane in its slot group. */
  readonly index: number;
  /** Receiver of the deliveries. */
  readonly intake: Pick<Intake, 'admit'>;
  /** Called when the window has been changed. */
  onResized(): void;
  /** Called when the lane's channel is gone, and with it its deliveries. */
  onLost(queue: string, reason: Error): void;
  readonly consumerEvents: Pick<ConsumerEvents, 'missed'>;
}

/** Maximum that a lane may have here beyond its window, of work that waits for full handlers: in windows, and in messages. */
const MORE_WINDOWS = 9;
const MORE_MESSAGES = 1_000;

/**
 * Consumer of one lane: one queue, one consumer in the broker, and the window of its unsettled deliveries.
 *
 * Each window that is opened is another consumer, in which earlier deliveries don't count. So open deliveries are
 * counted here: a lane that is paused and resumed again and again must not fetch another window each time.
 */
export class LaneConsumer implements DeliverySink, PausedLane {
  private readonly window: PrefetchWindow;
  private consuming: Promise<Consumer> | undefined;
  private consumer: Consumer | undefined;
  /** Change of the window that is under way. */
  private resizing: Promise<void> | undefined;
  /** Window that was asked for last; 0 if the lane takes nothing. */
  private asked = 0;
  /** True while the lane takes nothing until enough open deliveries are settled. */
  private isFull = false;
  /** Number of deliveries that are not settled. */
  private open = 0;
  /** Number of these that came through the window that is open now, and that window's number. */
  private inWindow = 0;
  private windowNumber = 0;
  private stopping = false;
  /** True once nobody is there any more to start a delivery, or to return it. */
  private cancelled = false;
  /** Set for a queue with a single active consumer: its window stays as it is, and it is left only when nothing is in hand. */
  private readonly single: SingleActive | undefined;
  private leaving: Promise<void> = Promise.resolve();

  constructor(
    private readonly lane: ServedLane,
    private readonly options: LaneConsumerOptions,
  ) {
    this.window = new PrefetchWindow(options.prefetch, () => this.resize(), options.clock);
    if (lane.subscription.singleActive) this.single = new SingleActive();
  }

  get queue(): string {
    return this.lane.queue;
  }

  /** Messages that were delivered here and are not settled. */
  get unsettled(): number {
    return this.open;
  }

  /** Messages here that may be what kills their process. */
  get suspects(): number {
    return this.window.suspected;
  }

  /** Maximum that may be here beyond the window, of work that waits and can't start. */
  get mostAside(): number {
    return Math.min(this.window.full * MORE_WINDOWS, MORE_MESSAGES);
  }

  async start(): Promise<void> {
    const { session, keptForMs } = this.options;
    this.asked = this.width;
    const single = this.single && { singleActive: true };
    this.consuming = session.consume(this.lane.queue, { prefetch: this.asked, keptForMs, ...single }, this);
    this.consumer = await this.consuming;
  }

  deliver(delivery: Delivery): void {
    if (this.single && !this.single.takes(delivery)) return;
    if (this.cancelled) {
      delivery.requeue();
      return;
    }
    this.open += 1;
    if (delivery.window !== this.windowNumber) {
      this.windowNumber = delivery.window;
      this.inWindow = 0;
    }
    this.inWindow += 1;
    if (!this.stopping) this.window.delivered(delivery);
    this.options.intake.admit(delivery, this.options.index);
  }

  lost(reason: Error): void {
    // What a process's own queue has delivered stays here, and is counted.
    if (this.lane.subscription.kind !== 'process') {
      this.window.reset();
      this.open = 0;
      this.inWindow = 0;
    }
    this.options.onLost(this.lane.queue, reason);
    this.single?.look();
    // The lane consumes again on the next channel, with the window that was asked for last.
    if (this.single) return;
    if (this.isFull || !this.mayOpen || this.width < this.asked) void this.change(this.width);
  }

  missed(since: Date): void {
    const { queue, subscription } = this.lane;
    const { consumerEvents, log } = this.options;
    log.warn(
      { queue, since },
      'the queue of this process was made again: messages since then are missed, and those that were in it',
    );
    // The queue has its name of its handler's, so all that it has are of one name.
    consumerEvents.missed(queue, subscription.handlers[0]?.name ?? queue, since);
  }

  /** Takes no more; resolves when the broker sends no more. Deliveries until then are handed on like all others. */
  async cancel(): Promise<void> {
    this.stopping = true;
    this.window.stop();
    if (this.single) return this.leave();
    await this.consumer?.cancel();
    this.cancelled = true;
  }

  /** Takes no more. Deliveries that are here stay, and can be settled. */
  stopTaking(): Promise<void> {
    return this.single ? this.leave() : this.change(0);
  }

  takeAgain(): void {
    if (this.single) void this.leaving.then(() => this.comeBack());
    else if (this.width > 0) void this.change(this.width);
  }

  /** Resolves when a queue with a single active consumer is left: it is, once all that has begun is settled. */
  get left(): Promise<void> {
    return this.leaving;
  }

  /** Called when a message's work has ended, and it is settled. */
  ended(): void {
    this.single?.look();
  }

  /** Nothing more is taken at once; the consumer goes when nothing is in hand, and what hasn't begun goes with it. */
  private async leave(): Promise<void> {
    const { single } = this;
    if (!single) return;
    const isUnderWay = single.isLeaving;
    const ended = isUnderWay ? this.leaving : single.leave(this.options.takeUnstarted?.() ?? []);
    this.leaving = ended.then(async () => {
      if (this.stopping) await this.consumer?.cancel();
      else if (!isUnderWay) await this.change(0);
      this.open = 0;
      // What hasn't begun goes back with the consumer, and is settled by nobody here.
      this.window.reset();
    });
  }

  private comeBack(): void {
    if (!this.single || this.stopping || this.asked > 0 || this.width === 0) return;
    this.single.isLeaving = false;
    void this.change(this.width);
  }

  /** Called when a slot is free that a message without its channel has held. */
  slotFreed(): void {
    if (this.single) return;
    if (!this.stopping && this.width > this.asked && !this.isFull) void this.change(this.width);
  }

  /** Changes the width of the open window; resolves when the change is done. */
  async resizePrefetch(prefetch: number): Promise<void> {
    this.window.resizeFull(prefetch);
    await this.resizing;
  }

  /**
   * Opens another window for work that can start, if all that fills this one waits. Each is twice as wide as the one before: where
   * much waits, little of a narrow one would be left for what can start, and each is a consumer of its own.
   */
  widen(): void {
    if (this.single || this.resizing || this.asked === 0 || this.inWindow < this.asked) return;
    const { full, suspected } = this.window;
    const leftMost = full + this.mostAside - this.open;
    if (suspected > 0 || leftMost <= 0) return;
    void this.change(Math.max(full, Math.min(2 * this.asked, leftMost)));
  }

  async close(): Promise<void> {
    await this.consumer?.close();
  }

  /**
   * Must be awaited before the ack that makes room in the window: another window is another consumer, and messages that
   * are under way to the old one come back charged as failed deliveries. To a full window nothing is under way.
   */
  settled(delivery: Delivery): Promise<void> | undefined {
    // A lost delivery has no ack.
    if (delivery.lost) return undefined;
    this.noLongerHere(delivery);
    this.window.settled(delivery);
    return this.single ? undefined : this.resizing;
  }

  /** Called for a delivery that goes back without having been started, which proves nothing about it. */
  returned(delivery: Delivery): void {
    if (delivery.lost) return;
    this.noLongerHere(delivery);
    this.window.returned(delivery);
  }

  private noLongerHere(delivery: Delivery): void {
    // A consumer that moves between connections has several channels; the first that goes resets the count.
    if (this.open > 0) this.open -= 1;
    if (delivery.window === this.windowNumber) this.inWindow -= 1;
    if (this.isFull && this.mayOpen) void this.change(this.width);
  }

  private get takes(): ReturnType<Pause['takes']> {
    return this.options.pause.takes(this.options.index);
  }

  /** Deliveries that may be unsettled now. */
  private get width(): number {
    const takes = this.takes;
    const free = this.window.full - (this.options.occupied?.() ?? 0);
    if (this.single) return takes === 'none' ? 0 : this.window.full;
    if (free <= 0) return 0;
    if (takes === 'all') return Math.min(this.window.width, free);
    return takes === 'one' ? 1 : 0;
  }

  /** False once two windows are here. In a lane that tries a message, open deliveries must not keep out that message. */
  private get mayOpen(): boolean {
    return this.takes === 'one' || this.open - this.options.blocked() <= this.window.full;
  }

  private resize(): void {
    if (this.takes === 'all' && !this.stopping && !this.single) void this.change(this.width);
  }

  private change(width: number): Promise<void> {
    const resizing = this.changeWindow(width).then(() => {
      if (this.resizing !== resizing) return;
      this.resizing = undefined;
      this.options.onResized();
    });
    this.resizing = resizing;
    return resizing;
  }

  private async changeWindow(width: number): Promise<void> {
    const { log } = this.options;
    const { queue } = this.lane;
    this.isFull = width > 0 && !this.single && !this.mayOpen;
    this.asked = this.isFull ? 0 : width;
    // No window: the count begins with the first delivery of the next one.
    this.windowNumber = 0;
    this.inWindow = 0;
    const { asked } = this;
    try {
      // The first deliveries may be settled before the broker's answer to the consume arrives.
      await (await this.consuming)?.setPrefetch(asked);
    } catch (error) {
      log.warn({ queue, width, error }, 'the prefetch could not be changed');
    }
  }
}
