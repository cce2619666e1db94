import type { Consumer, DeliverySink } from '../transport.js';
import type { Taker } from './consumer-ring.js';
import { MemoryDelivery, type Settling } from './delivery.js';
import type { Queue } from './queue.js';
import type { QueuedMessage } from './queued-message.js';

export class MemoryConsumer implements Consumer, Taker, Settling {
  private readonly unsettled = new Set<MemoryDelivery>();
  /** As in RabbitMQ: deliveries of earlier windows don't count. */
  private inWindow = 0;
  private window = 1;
  private isCancelled = false;
  /** True while the queue counts it. */
  private isTaking = true;

  /** @param declare gives the queue anew, if it goes with its last consumer */
  constructor(
    private queue: Queue,
    private readonly sink: DeliverySink,
    private prefetch: number,
    private readonly declare?: () => Queue,
    private readonly singleActive = false,
  ) {
    queue.addConsumer(this);
  }

  get hasRoom(): boolean {
    return this.inWindow < this.prefetch;
  }

  take(queued: QueuedMessage): void {
    const delivery = new MemoryDelivery(queued, this.queue, this, this.window);
    this.unsettled.add(delivery);
    this.inWindow += 1;
    this.sink.deliver(delivery);
  }

  acked(delivery: MemoryDelivery): void {
    this.forget(delivery);
    this.queue.wake();
  }

  returned(delivery: MemoryDelivery): void {
    this.forget(delivery);
    delivery.from.putBack([delivery.queued]);
  }

  rejected(delivery: MemoryDelivery): void {
    this.forget(delivery);
    delivery.from.giveUp(delivery.queued);
    this.queue.wake();
  }

  async setPrefetch(prefetch: number): Promise<void> {
    if (this.singleActive && prefetch > 0 && this.isTaking) return;
    this.prefetch = prefetch;
    this.window += 1;
    this.inWindow = 0;
    // As in RabbitMQ a new consumer is made, and with 0 none: the queue counts those that may be given something.
    const { queue } = this;
    const { isTaking } = this;
    this.isTaking = prefetch > 0 && !this.isCancelled;
    if (this.isTaking) this.queue = this.declare?.() ?? queue;
    // Before the old one goes, with which a queue might go.
    if (this.isTaking) this.queue.addConsumer(this);
    if (isTaking) queue.removeConsumer(this);
    if (this.singleActive && !this.isTaking) this.giveBack();
  }

  async cancel(): Promise<void> {
    this.isCancelled = true;
    this.isTaking = false;
    this.queue.removeConsumer(this);
    if (this.singleActive) this.giveBack();
  }

  async close(): Promise<void> {
    await this.cancel();
    this.giveBack();
  }

  /** Returns the unsettled deliveries; settling them later has no effect. */
  giveBack(): void {
    const returned = [...this.unsettled];
    this.unsettled.clear();
    this.inWindow = 0;
    for (const delivery of returned) delivery.lose();
    for (const queue of new Set(returned.map(({ from }) => from)))
      queue.putBack(returned.filter(({ from }) => from === queue).map(({ queued }) => queued));
  }

  private forget(delivery: MemoryDelivery): void {
    this.unsettled.delete(delivery);
    if (delivery.window === this.window) this.inWindow -= 1;
  }
}
