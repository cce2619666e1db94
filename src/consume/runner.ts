import { ChannelLostError, ShutdownError } from '../errors.js';
import type { Names } from '../topology/names.js';
import type { Consumer, Delivery, DeliverySink, TransportSession } from '../transport/transport.js';
import type { Clock } from '../util/clock.js';
import type { Deadline } from '../util/deadline.js';
import type { Logger } from '../util/logger.js';
import { Gate, type Work } from './concurrency.js';
import { Dispatcher, type DispatcherOptions } from './dispatch.js';
import type { Outcome } from './outcome.js';
import { PrefetchWindow } from './prefetch-window.js';
import { receive } from './received.js';
import { Registry } from './registry.js';
import { Settler, type SettlerOptions } from './settle.js';
import type { Subscription } from './subscription.js';

export interface RunnerOptions {
  readonly names: Names;
  readonly session: TransportSession;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settler: Omit<SettlerOptions, 'onHold' | 'onRelease'>;
  readonly dispatcher: Omit<DispatcherOptions, 'settler' | 'handlers'>;
}

/** Runs one subscription: takes its queue's deliveries, lets them start when there is room, and ends in order. */
export class SubscriptionRunner implements DeliverySink {
  private readonly registry: Registry;
  private readonly gate: Gate;
  private readonly dispatcher: Dispatcher;
  private readonly window: PrefetchWindow;
  private readonly settler: Settler;
  private consuming: Promise<Consumer> | undefined;
  private consumer: Consumer | undefined;
  /** Under way. */
  private resizing: Promise<void> | undefined;
  private stopping = false;

  constructor(
    private readonly subscription: Subscription,
    private readonly options: RunnerOptions,
  ) {
    const { handlers, concurrency, prefetch } = subscription;
    this.registry = new Registry(handlers);
    this.gate = new Gate(concurrency, (work) => void this.run(work));
    this.window = new PrefetchWindow(prefetch, (width) => this.resize(width), options.clock);
    this.settler = new Settler({
      ...options.settler,
      onHold: () => this.gate.hold(),
      onRelease: () => this.gate.release(),
    });
    const settle = (work: Work, outcome: Outcome) => this.settle(work, outcome);
    this.dispatcher = new Dispatcher({ ...options.dispatcher, handlers, settler: { settle } });
  }

  get queue(): string {
    return this.subscription.queue;
  }

  async start(): Promise<void> {
    this.consuming = this.options.session.consume(this.queue, { prefetch: this.window.width }, this);
    this.consumer = await this.consuming;
  }

  deliver(delivery: Delivery): void {
    if (this.stopping) {
      delivery.requeue();
      return;
    }
    this.window.delivered(delivery);
    const received = receive(delivery, this.options.names);
    this.gate.push({ received, match: this.registry.find(received.routingKey) });
  }

  lost(reason: Error): void {
    this.gate.dropLost();
    this.window.reset();
    const error = new ChannelLostError(this.queue, { cause: reason });
    this.dispatcher.abort(error, ({ delivery }) => delivery.lost);
  }

  /** First stage of stopping: takes no more, and gives back what has not started. */
  async stopConsuming(): Promise<void> {
    this.stopping = true;
    this.window.stop();
    const waiting = this.gate.takeWaiting();
    // Given back before that, they would come again at once, and each time be charged as a failed delivery.
    await this.consumer?.cancel();
    for (const { received } of waiting) received.delivery.requeue();
  }

  /** Second stage: what runs may finish; near the deadline its signals fire. True if everything ended in time. */
  async finish(deadline: Deadline): Promise<boolean> {
    const idle = this.gate.idle().then(() => true);
    const { clock } = this.options;
    const graceMs = Math.min(SIGNAL_AHEAD_MS, deadline.remainingMs / 4);
    const timer = clock.setTimer(
      () => this.dispatcher.abort(new ShutdownError(), () => true),
      Math.max(0, deadline.remainingMs - graceMs),
    );
    const ended = await deadline.race(idle, () => new ShutdownError()).catch(() => false);
    timer.cancel();
    return ended;
  }

  /** Last stage: the channel goes, and with it what is not settled goes back to the queue. */
  async close(): Promise<void> {
    await this.consumer?.close();
  }

  private async run(work: Work): Promise<void> {
    try {
      await this.dispatcher.dispatch(work);
    } catch (error) {
      // A bug of ours: keep the message un-acked rather than guess; the broker delivers it again when the channel goes.
      this.options.log.error(
        { queue: this.queue, messageId: work.received.messageId, error },
        'dispatch failed',
      );
    }
    this.gate.done(work);
  }

  /**
   * Widens the window before the ack that makes room in it: another window is another consumer, and what the broker
   * has under way to the old one comes back charged as a failed delivery. To a full window nothing is under way.
   */
  private settle(work: Work, outcome: Outcome): Promise<void> {
    this.window.settled(work.received.delivery);
    const { resizing, settler } = this;
    return resizing === undefined
      ? settler.settle(work, outcome)
      : resizing.then(() => settler.settle(work, outcome));
  }

  private resize(width: number): void {
    const resizing = this.changeWindow(width).then(() => {
      if (this.resizing === resizing) this.resizing = undefined;
    });
    this.resizing = resizing;
  }

  private async changeWindow(width: number): Promise<void> {
    try {
      // The first deliveries may be settled before the broker's answer to consuming is heard here.
      await (await this.consuming)?.setPrefetch(width);
    } catch (error) {
      this.options.log.warn({ queue: this.queue, width, error }, 'the prefetch could not be changed');
    }
  }
}

/** How long before the deadline of stopping the signals of running handlers fire. */
const SIGNAL_AHEAD_MS = 5_000;
