import { TopologyError } from '../../errors.js';
import type { Listener, Listening, ListenSource } from '../operator-session.js';
import type { Delivery } from '../transport.js';
import type { Broker } from './broker.js';
import { MemoryConsumer } from './consumer.js';
import { existing } from './declare.js';
import { Queue } from './queue.js';

/** A queue of one session, deleted when the session stops listening. */
export class MemoryListener implements Listening {
  private readonly queue: Queue;
  private readonly consumer: MemoryConsumer;

  /** @throws TopologyError if a queue of that name exists */
  constructor(
    private readonly broker: Broker,
    private readonly source: ListenSource,
    listener: Listener,
  ) {
    const { exchange, key: pattern, queueName } = source;
    const name = queueName();
    if (broker.queues.has(name))
      throw new TopologyError(
        `queue '${name}'`,
        `RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '${name}' in vhost '/'`,
        'Try again when its holder is done.',
      );
    this.queue = new Queue({ name, arguments: { 'x-queue-type': 'classic' } }, broker);
    const bound = exchange === '' ? undefined : existing(broker.exchanges, 'exchange', exchange);
    broker.queues.set(name, this.queue);
    bound?.bind({ source: exchange, destination: name, destinationType: 'queue', pattern }, this.queue);
    const deliver = (delivery: Delivery) => {
      delivery.ack();
      listener.heard(delivery);
    };
    this.consumer = new MemoryConsumer(this.queue, { deliver, lost: () => {} }, Number.POSITIVE_INFINITY);
  }

  async close(): Promise<void> {
    await this.consumer.close();
    this.broker.exchanges.get(this.source.exchange)?.unbind(this.queue);
    this.broker.queues.delete(this.queue.name);
  }
}
