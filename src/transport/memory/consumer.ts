import type { Consumer, DeliverySink } from '../transport.js';
import type { Taker } from './consumer-ring.js';
import { MemoryDelivery, type Settling } from './delivery.js';
import type { Queue, QueuedMessage } from './queue.js';

export class MemoryConsumer implements Consumer, Taker, Settling {
  private readonly unsettled = new Set<MemoryDelivery>();

  constructor(
    private readonly queue: Queue,
    private readonly sink: DeliverySink,
    private prefetch: number,
  ) {
    queue.addConsumer(this);
  }

  get hasRoom(): boolean {
    return this.unsettled.size < this.prefetch;
  }

  take(queued: QueuedMessage): void {
    const delivery = new MemoryDelivery(queued, this.queue, this);
    this.unsettled.add(delivery);
    this.sink.deliver(delivery);
  }

  acked(delivery: MemoryDelivery): void {
    this.unsettled.delete(delivery);
    this.queue.wake();
  }

  returned(delivery: MemoryDelivery): void {
    this.unsettled.delete(delivery);
    this.queue.putBack([delivery.queued]);
  }

  rejected(delivery: MemoryDelivery): void {
    this.unsettled.delete(delivery);
    this.queue.giveUp(delivery.queued);
    this.queue.wake();
  }

  async setPrefetch(prefetch: number): Promise<void> {
    this.prefetch = prefetch;
    this.queue.wake();
  }

  async cancel(): Promise<void> {
    this.queue.removeConsumer(this);
  }

  async close(): Promise<void> {
    await this.cancel();
    this.giveBack();
  }

  /** What is unsettled goes back; settling it later does nothing. */
  giveBack(): void {
    const returned = [...this.unsettled];
    this.unsettled.clear();
    for (const delivery of returned) delivery.lose();
    this.queue.putBack(returned.map(({ queued }) => queued));
  }
}
