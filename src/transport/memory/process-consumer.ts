import type { ProcessQueuePlan } from '../../topology/plan.js';
import { processQueueArguments, processQueueOf } from '../../topology/process-queue.js';
import { ProcessRoom } from '../../topology/process-room.js';
import type { Consumer, DeliverySink, SessionOptions } from '../transport.js';
import type { Alarm } from './alarms.js';
import type { Broker } from './broker.js';
import { MemoryConsumer } from './consumer.js';
import { existing } from './declare.js';
import type { MemoryDelivery } from './delivery.js';
import { Queue } from './queue.js';
import type { StoredMessage } from './stored-message.js';

export interface MemoryProcessConsumerOptions extends Pick<SessionOptions, 'names' | 'log'> {
  readonly plan: ProcessQueuePlan;
  readonly prefetch: number;
  readonly sink: DeliverySink;
}

/** Consumer of what comes back, which is in the process, and leaves the room when it has ended. */
class ComingBackConsumer extends MemoryConsumer {
  constructor(
    queue: Queue,
    sink: DeliverySink,
    prefetch: number,
    private readonly room: ProcessRoom,
  ) {
    super(queue, sink, prefetch);
  }

  override acked(delivery: MemoryDelivery): void {
    super.acked(delivery);
    this.room.leave(delivery.queued.message.body);
  }

  override rejected(delivery: MemoryDelivery): void {
    super.rejected(delivery);
    this.room.leave(delivery.queued.message.body);
  }
}

/** Consumer of a queue that this process makes for itself, with the messages that wait here for another attempt. */
export class MemoryProcessConsumer implements Consumer {
  private readonly queue: Queue;
  private readonly name: string;
  private readonly consumer: MemoryConsumer;
  /** What has waited is apart from the queue, which is not consumed while too much waits. */
  private readonly due: Queue;
  private readonly dueConsumer: MemoryConsumer;
  private readonly room: ProcessRoom;
  private readonly waiting = new Set<Alarm>();
  /** The prefetch that was asked for last. */
  private prefetch: number;
  private isCancelled = false;

  /** @throws TopologyError if an exchange does not exist */
  constructor(
    private readonly broker: Broker,
    private readonly options: MemoryProcessConsumerOptions,
  ) {
    const { plan, prefetch, sink, log } = options;
    this.prefetch = prefetch;
    this.name = processQueueOf(plan.name);
    // The word of the process is the broker's affair: deliveries, and their dead letters, are without it.
    const queuePlan = { name: plan.name, arguments: processQueueArguments(plan) };
    this.queue = new Queue(queuePlan, broker);
    this.due = new Queue(queuePlan, broker);
    for (const { source, pattern } of plan.bindings) {
      const binding = { source, destination: this.name, destinationType: 'queue', pattern } as const;
      existing(broker.exchanges, 'exchange', source).bind(binding, this.queue);
    }
    broker.queues.set(this.name, this.queue);
    this.consumer = new MemoryConsumer(this.queue, sink, prefetch);
    this.room = new ProcessRoom(plan.name, log, () => void this.resize());
    this.dueConsumer = new ComingBackConsumer(this.due, sink, prefetch, this.room);
  }

  comeBack(message: StoredMessage, delayMs: number): void {
    if (this.isCancelled) {
      this.room.drop(1);
      return;
    }
    this.room.enter(message.body);
    const { alarms, clock } = this.broker;
    const due = { ...message, exchange: this.options.names.delayOut };
    const alarm = alarms.set(() => {
      this.waiting.delete(alarm);
      this.due.put(due);
    }, clock.monotonic() + delayMs);
    this.waiting.add(alarm);
  }

  setPrefetch(prefetch: number): Promise<void> {
    this.prefetch = prefetch;
    return this.resize();
  }

  async cancel(): Promise<void> {
    this.isCancelled = true;
    this.room.drop(this.waiting.size + this.due.purge());
    for (const alarm of this.waiting) this.broker.alarms.cancel(alarm);
    this.waiting.clear();
    await this.consumer.cancel();
    await this.dueConsumer.cancel();
    for (const { source } of this.options.plan.bindings)
      this.broker.exchanges.get(source)?.unbind(this.queue);
    this.broker.queues.delete(this.name);
  }

  async close(): Promise<void> {
    await this.cancel();
    this.room.drop(this.due.purge());
    this.room.tellDropped();
    this.consumer.giveBack();
    this.dueConsumer.giveBack();
  }

  /** Both change together, since a window has one number. While the room is full, the queue keeps the rest. */
  private async resize(): Promise<void> {
    await this.consumer.setPrefetch(this.room.isFull ? 0 : this.prefetch);
    await this.dueConsumer.setPrefetch(this.prefetch);
  }
}
