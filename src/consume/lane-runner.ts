import type { PauseReason } from '../events.js';
import type { Consumer, Delivery, DeliverySink, TransportSession } from '../transport/transport.js';
import type { Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import type { ConsumerEvents } from './consumer-events.js';
import type { Lane } from './lanes.js';
import { PrefetchWindow } from './prefetch-window.js';

export interface LaneRunnerOptions {
  readonly session: TransportSession;
  readonly clock: Clock;
  readonly log: Logger;
  readonly consumerEvents: ConsumerEvents;
  readonly prefetch: number;
  onDelivery(delivery: Delivery): void;
  /** The lane's channel is gone, and with it what it had delivered. */
  onLost(queue: string, reason: Error): void;
}

/** Why a lane may be paused; the other reasons hold what is here already. */
export type LanePause = Extract<PauseReason, 'higher-lane' | 'circuit-open' | 'operator'>;

/** Consumes one lane: one queue, one consumer, and the window of what may be unsettled of it. */
export class LaneRunner implements DeliverySink {
  private readonly window: PrefetchWindow;
  private consuming: Promise<Consumer> | undefined;
  private consumer: Consumer | undefined;
  /** Under way. */
  private resizing: Promise<void> | undefined;
  private stopping = false;
  /** Why it takes nothing. */
  private readonly pauses = new Set<LanePause>();
  /** One message is to be tried though its circuit is open. */
  private isTrying = false;

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
    this.consuming = this.options.session.consume(this.lane.queue, { prefetch: this.width }, this);
    this.consumer = await this.consuming;
  }

  deliver(delivery: Delivery): void {
    if (this.stopping) {
      delivery.requeue();
      return;
    }
    this.window.delivered(delivery);
    this.options.onDelivery(delivery);
  }

  lost(reason: Error): void {
    this.window.reset();
    this.options.onLost(this.lane.queue, reason);
  }

  /** Takes no more, from this very call on; resolves when the broker sends no more. */
  async cancel(): Promise<void> {
    this.stopping = true;
    this.window.stop();
    await this.consumer?.cancel();
  }

  /** Takes no more until {@link resume}; resolves when nothing more comes. What is here can be settled. */
  async pause(why: LanePause): Promise<void> {
    this.pauses.add(why);
    if (why === 'circuit-open') this.isTrying = false;
    this.options.consumerEvents.paused(this.queue, why);
    await this.changeWindow(0);
    // What is given back is no suspect here any more, nor is what was still on its way; it comes again with its count.
    this.window.reset();
  }

  /** Takes no more than one at a time, though it is paused for its circuit. */
  tryOne(): void {
    this.isTrying = true;
    if (this.width > 0) void this.changeWindow(1);
  }

  resume(why: LanePause): void {
    this.pauses.delete(why);
    if (why === 'circuit-open') this.isTrying = false;
    this.options.consumerEvents.resumed(this.queue, why);
    if (this.width > 0) this.change(this.width);
  }

  /** Why it takes nothing at the moment. */
  get pausedFor(): readonly LanePause[] {
    return [...this.pauses];
  }

  /** Changes how much may be unsettled of it when nothing is in the way. */
  resizePrefetch(prefetch: number): void {
    this.window.resizeFull(prefetch);
  }

  async close(): Promise<void> {
    await this.consumer?.close();
  }

  /**
   * To be awaited before the ack that makes room in the window: another window is another consumer, and what the broker
   * has under way to the old one comes back charged as a failed delivery. To a full window nothing is under way.
   */
  settled(delivery: Delivery): Promise<void> | undefined {
    this.window.settled(delivery);
    // Of one that is lost there is no ack.
    return delivery.lost ? undefined : this.resizing;
  }

  /** How much may be unsettled of it now. */
  private get width(): number {
    if (this.pauses.size === 0) return this.window.width;
    return this.isTrying && this.pauses.size === 1 ? 1 : 0;
  }

  private resize(width: number): void {
    if (this.pauses.size === 0) this.change(width);
  }

  private change(width: number): void {
    const resizing = this.changeWindow(width).then(() => {
      if (this.resizing === resizing) this.resizing = undefined;
    });
    this.resizing = resizing;
  }

  private async changeWindow(width: number): Promise<void> {
    const { log } = this.options;
    const { queue } = this.lane;
    try {
      // The first deliveries may be settled before the broker's answer to consuming is heard here.
      await (await this.consuming)?.setPrefetch(width);
    } catch (error) {
      log.warn({ queue, width, error }, 'the prefetch could not be changed');
    }
  }
}
