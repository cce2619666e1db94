import type { ProcessQueuePlan } from '../../topology/plan.js';
import {
  MOST_COMING_BACK,
  processQueueArguments,
  processQueueOf,
  tooManyComingBack,
} from '../../topology/process-queue.js';
import type { Consumer, DeliverySink, SessionOptions } from '../transport.js';
import type { Alarm } from './alarms.js';
import type { Broker } from './broker.js';
import { MemoryConsumer } from './consumer.js';
import { existing } from './declare.js';
import { Queue } from './queue.js';
import type { StoredMessage } from './stored-message.js';

export interface MemoryProcessConsumerOptions extends Pick<SessionOptions, 'names' | 'log'> {
  readonly plan: ProcessQueuePlan;
  readonly prefetch: number;
  readonly sink: DeliverySink;
}

/** Consumer of a queue that this process makes for itself, with the messages that wait here for another attempt. */
export class MemoryProcessConsumer implements Consumer {
  private readonly queue: Queue;
  private readonly name: string;
  private readonly consumer: MemoryConsumer;
  private readonly waiting = new Set<Alarm>();
  private isCancelled = false;
  private dropped = 0;

  /** @throws TopologyError if an exchange does not exist */
  constructor(
    private readonly broker: Broker,
    private readonly options: MemoryProcessConsumerOptions,
  ) {
    const { plan, prefetch, sink } = options;
    this.name = processQueueOf(plan.name);
    // The word of the process is the broker's affair: deliveries, and their dead letters, are without it.
    this.queue = new Queue({ name: plan.name, arguments: processQueueArguments(plan) }, broker);
    for (const { source, pattern } of plan.bindings) {
      const binding = { source, destination: this.name, destinationType: 'queue', pattern } as const;
      existing(broker.exchanges, 'exchange', source).bind(binding, this.queue);
    }
    broker.queues.set(this.name, this.queue);
    this.consumer = new MemoryConsumer(this.queue, sink, prefetch);
  }

  /** @throws PublishRejectedError while too many wait */
  comeBack(message: StoredMessage, delayMs: number): void {
    if (this.isCancelled) {
      this.dropped += 1;
      return;
    }
    if (this.waiting.size >= MOST_COMING_BACK) throw tooManyComingBack(this.options.plan.name);
    const { alarms, clock } = this.broker;
    const due = { ...message, exchange: this.options.names.delayOut };
    const alarm = alarms.set(() => {
      this.waiting.delete(alarm);
      this.queue.put(due);
    }, clock.monotonic() + delayMs);
    this.waiting.add(alarm);
  }

  setPrefetch(prefetch: number): Promise<void> {
    return this.consumer.setPrefetch(prefetch);
  }

  async cancel(): Promise<void> {
    this.isCancelled = true;
    this.dropped += this.waiting.size;
    for (const alarm of this.waiting) this.broker.alarms.cancel(alarm);
    this.waiting.clear();
    await this.consumer.cancel();
    for (const { source } of this.options.plan.bindings)
      this.broker.exchanges.get(source)?.unbind(this.queue);
    this.broker.queues.delete(this.name);
  }

  async close(): Promise<void> {
    await this.cancel();
    this.consumer.giveBack();
    const { options, dropped: messages } = this;
    this.dropped = 0;
    if (messages > 0)
      options.log.warn(
        { queue: options.plan.name, messages },
        'messages that waited in this process for another attempt have ended with it',
      );
  }
}
