import { MIN_DELAY_MS } from '../../../message/delay-range.js';
import type { OutgoingMessage } from '../../../message/message.js';
import type { ProcessRoom } from '../../../topology/process-room.js';
import { systemClock, type Timer } from '../../../util/clock.js';
import { Line } from '../../../util/line.js';
import { inRootContext } from '../../../util/root-context.js';
import type { Delivery, DeliverySink } from '../../transport.js';
import { type Keeper, type Kept, KeptDelivery, keptCopy } from './process-delivery.js';

export interface ComingBackOptions {
  /** Name of the queue, without the word of the process. */
  readonly queue: string;
  /** Exchange from which the copies come, by which their headers are believed. */
  readonly exchange: string;
  readonly sink: DeliverySink;
  readonly room: ProcessRoom;
  /** Number of the window that is open. */
  window(): number;
}

/**
 * Messages of a process's queue that wait in the process: for their next attempt, or because the channel is gone that they could go
 * back to. They are delivered within the prefetch, beside what the broker delivers.
 */
export class ComingBack implements Keeper {
  private readonly timers = new Set<Timer>();
  /** Messages whose time has come, and that have no room yet. */
  private readonly due = new Line<Kept>();
  /** Delivered, and not settled. */
  private out = 0;
  private delivering: NodeJS.Immediate | undefined;
  private ended = false;

  /** @param prefetch maximum messages that are delivered and not settled */
  constructor(
    private prefetch: number,
    private readonly options: ComingBackOptions,
  ) {}

  add(message: OutgoingMessage): void {
    this.wait(keptCopy(message, this.options.exchange), message.delayMs ?? 0);
  }

  putBack({ body, properties, exchange, routingKey, source }: Delivery): void {
    // Returned for a pause of its handler, it would come again at once.
    this.wait({ body, properties, exchange, routingKey, source, redelivered: true }, MIN_DELAY_MS);
  }

  settled(body: Buffer): void {
    this.out -= 1;
    if (!this.ended) this.options.room.leave(body);
    this.deliverSoon();
  }

  /** With a prefetch of 0 none is delivered. */
  resize(prefetch: number): void {
    this.prefetch = prefetch;
    this.deliverSoon();
  }

  /** Delivers nothing more; what waits is dropped, and what comes yet. */
  end(): void {
    this.ended = true;
    this.options.room.drop(this.timers.size + this.due.takeAll().length);
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
    clearImmediate(this.delivering);
  }

  private wait(kept: Kept, delayMs: number): void {
    if (this.ended) {
      this.options.room.drop(1);
      return;
    }
    this.options.room.enter(kept.body);
    // The next attempt must not run in the async context of this one.
    inRootContext(() => {
      const timer = systemClock.setTimer(() => {
        this.timers.delete(timer);
        this.due.push(kept);
        this.deliver();
      }, delayMs);
      this.timers.add(timer);
    });
  }

  /** Not at once: the caller is in the async context of another message, and on its stack. */
  private deliverSoon(): void {
    if (this.due.size === 0 || this.ended) return;
    this.delivering ??= inRootContext(() =>
      setImmediate(() => {
        this.delivering = undefined;
        this.deliver();
      }),
    );
  }

  private deliver(): void {
    const { queue, sink, window } = this.options;
    while (!this.ended && this.out < this.prefetch && this.due.size > 0) {
      this.out += 1;
      sink.deliver(new KeptDelivery(this.due.shift() as Kept, queue, window(), this));
    }
  }
}
