import type { Channel, ChannelModel } from 'amqplib';
import type { ProcessQueuePlan } from '../../../topology/plan.js';
import { processQueueArguments, processQueueOf } from '../../../topology/process-queue.js';

/**
 * The queue of this process for one consumer: made on each of its channels, under a new name. It is exclusive, so it goes with the
 * connection; it can't go with its last consumer, since a change of the prefetch is another consumer.
 */
export class ProcessQueue {
  /** Queues that were made on {@link model}'s connection, the current one last. */
  private made: readonly string[] = [];
  private connection: ChannelModel['connection'] | undefined;

  constructor(private readonly plan: ProcessQueuePlan) {}

  /** Resolves with its name when messages come into it. */
  async make(channel: Channel): Promise<string> {
    const before = this.connection === channel.connection ? this.made : [];
    const name = processQueueOf(this.plan.name);
    this.connection = channel.connection;
    this.made = [...before, name];
    const options = { exclusive: true, durable: false, arguments: processQueueArguments(this.plan) };
    await channel.assertQueue(name, options);
    for (const { source, pattern, arguments: its = {} } of this.plan.bindings)
      await channel.bindQueue(name, source, pattern, its);
    // A channel may be lost without its connection. Its queue would fill.
    for (const old of before) await channel.deleteQueue(old);
    this.made = [name];
    return name;
  }

  /** Deletes what is there: other buses may go on with the connection. Never rejects. */
  async drop(model: ChannelModel | undefined): Promise<void> {
    const { made } = this;
    this.made = [];
    if (made.length === 0 || !model || model.connection !== this.connection) return;
    try {
      const channel = await model.createChannel();
      // Whatever is wrong with it, the queue goes with the connection.
      channel.on('error', () => {});
      for (const name of made) await channel.deleteQueue(name);
      await channel.close();
    } catch {
      // As above; or the connection is gone.
    }
  }
}
