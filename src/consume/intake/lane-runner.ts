import type { Consumer, Delivery, DeliverySink, TransportSession } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import type { Lane } from '../handlers/lanes.js';
import type { Intake } from './intake.js';
import type { Pause, PausedLane } from './pause.js';
import { PrefetchWindow } from './prefetch-window.js';

export interface LaneRunnerOptions {
  readonly session: Pick<TransportSession, 'consume'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pause: Pick<Pause, 'takes'>;
  readonly prefetch: number;
  /** How long a delivery may stay unsettled here, in milliseconds. */
  readonly keptForMs: number;
  /** How much of it is here and can't start, since its handlers are full. */
  blocked(): number;
  /** Its place among those that share the slots. */
  readonly index: number;
  /** Takes what is delivered. */
  readonly intake: Pick<Intake, 'admit'>;
  /** Its window has been changed. */
  onResized(): void;
  /** The lane's channel is gone, and with it what it had delivered. */
  onLost(queue: string, reason: Error): void;
}

/** How much more than its window a lane may have here, of what waits for handlers that are full: in windows, and in messages. */
const MORE_WINDOWS = 9;
const MORE_MESSAGES = 1_000;

/**
 * Consumes one lane: one queue, one consumer, and the window of what may be unsettled of it.
 *
 * Each window that is opened is another consumer, in which what was delivered before doesn't count. So what is open from
 * before is counted here: a lane that is paused and resumed again and again must not fetch a window more each time.
 */
export class LaneRunner implements DeliverySink, PausedLane {
  private readonly window: PrefetchWindow;
  private consuming: Promise<Consumer> | undefined;
  private consumer: Consumer | undefined;
  /** Under way. */
  private resizing: Promise<void> | undefined;
  /** As asked for last; 0 if it takes nothing. */
  private asked = 0;
  /** Takes nothing until enough of what is open is settled. */
  private isFull = false;
  /** Delivered and not settled. */
  private open = 0;
  /** Of that, what came through the window that is open now, and its number. */
  private inWindow = 0;
  private windowNumber = 0;
  private stopping = false;
  /** What comes now has nobody to start it, or to give it back. */
  private cancelled = false;

  constructor(
    private readonly lane: Lane,
    private readonly options: LaneRunnerOptions,
  ) {
    this.window = new PrefetchWindow(options.prefetch, (width) => this.resize(width), options.clock);
  }

  get queue(): string {
    return this.lane.queue;
  }

  async start(): Promise<void> {
    const { session, keptForMs } = this.options;
    this.asked = this.width;
    this.consuming = session.consume(this.lane.queue, { prefetch: this.asked, keptForMs }, this);
    this.consumer = await this.consuming;
  }

  deliver(delivery: Delivery): void {
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
    this.window.reset();
    this.open = 0;
    this.inWindow = 0;
    this.options.onLost(this.lane.queue, reason);
    // It consumes again on the next channel, with the window that was asked for last.
    if (this.isFull) void this.change(this.width);
  }

  /** Takes no more; resolves when the broker sends no more. What comes until then is handed on like all else. */
  async cancel(): Promise<void> {
    this.stopping = true;
    this.window.stop();
    await this.consumer?.cancel();
    this.cancelled = true;
  }

  /** What is here stays, and can be settled. */
  stopTaking(): Promise<void> {
    return this.change(0);
  }

  takeAgain(): void {
    if (this.width > 0) void this.change(this.width);
  }

  /** Changes how much may be unsettled of it when nothing is in the way; resolves when that holds. */
  async resizePrefetch(prefetch: number): Promise<void> {
    this.window.resizeFull(prefetch);
    await this.resizing;
  }

  /** All that fills its window waits for handlers that are full: another window for what can start. */
  widen(): void {
    if (this.resizing || this.asked === 0 || this.inWindow < this.asked) return;
    const { full, hasSuspects } = this.window;
    if (hasSuspects) return;
    if (this.open >= full + Math.min(full * MORE_WINDOWS, MORE_MESSAGES)) return;
    void this.change(this.asked);
  }

  async close(): Promise<void> {
    await this.consumer?.close();
  }

  /**
   * To be awaited before the ack that makes room in the window: another window is another consumer, and what the broker
   * has under way to the old one comes back charged as a failed delivery. To a full window nothing is under way.
   */
  settled(delivery: Delivery): Promise<void> | undefined {
    // Of one that is lost there is no ack.
    if (delivery.lost) return undefined;
    this.left(delivery);
    this.window.settled(delivery);
    return this.resizing;
  }

  /** It goes back without having been started, which proves nothing about it. */
  returned(delivery: Delivery): void {
    if (delivery.lost) return;
    this.left(delivery);
    this.window.returned(delivery);
  }

  private left(delivery: Delivery): void {
    // One that moves between connections has several channels; with the first of them that goes all is forgotten.
    if (this.open > 0) this.open -= 1;
    if (delivery.window === this.windowNumber) this.inWindow -= 1;
    if (this.isFull && this.mayOpen) void this.change(this.width);
  }

  private get takes(): ReturnType<Pause['takes']> {
    return this.options.pause.takes(this.options.index);
  }

  /** How much may be unsettled of it now. */
  private get width(): number {
    const takes = this.takes;
    if (takes === 'all') return this.window.width;
    return takes === 'one' ? 1 : 0;
  }

  /** Two windows' worth is here at the most. Of a lane that tries, what is open must not keep out what is to be tried. */
  private get mayOpen(): boolean {
    return this.takes === 'one' || this.open - this.options.blocked() <= this.window.full;
  }

  private resize(width: number): void {
    if (this.takes === 'all' && !this.stopping) void this.change(width);
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
    this.isFull = width > 0 && !this.mayOpen;
    this.asked = this.isFull ? 0 : width;
    // Of no window: what comes through the next one begins to count.
    this.windowNumber = 0;
    this.inWindow = 0;
    const { asked } = this;
    try {
      // The first deliveries may be settled before the broker's answer to consuming is heard here.
      await (await this.consuming)?.setPrefetch(asked);
    } catch (error) {
      log.warn({ queue, width, error }, 'the prefetch could not be changed');
    }
  }
}
