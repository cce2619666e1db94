import { ConnectError } from '../../errors.js';
import type { MessageProperties } from '../../message/properties.js';
import type { Deadline } from '../../util/deadline.js';
import { deferred } from '../../util/deferred.js';
import type { Held } from '../operator-session.js';
import type { Delivery } from '../transport.js';
import { MemoryConsumer } from './consumer.js';
import type { Queue } from './queue.js';

/** The first message of a queue, taken by a consumer as in RabbitMQ: the queue counts it, and others wait for it. */
export class MemoryHeld implements Held {
  private readonly consumer: MemoryConsumer;
  private readonly delivered = deferred<Delivery>();
  private delivery: Delivery | undefined;

  constructor(
    private readonly queue: Queue,
    private readonly onSettled: () => void,
  ) {
    this.consumer = new MemoryConsumer(queue, { deliver: this.delivered.resolve, lost: () => {} }, 1);
  }

  /** @throws ConnectError at the deadline; then no message is held */
  async arrived(deadline: Deadline): Promise<void> {
    try {
      this.delivery = await deadline.race(this.delivered.promise, () => notHanded(this.queue));
    } catch (error) {
      this.requeue();
      throw error;
    }
  }

  get body(): Buffer {
    return this.held.body;
  }

  get properties(): MessageProperties {
    return this.held.properties;
  }

  async ack(): Promise<void> {
    const isSettled = this.held.ack();
    this.requeue();
    if (!isSettled) throw notHanded(this.queue);
  }

  requeue(): void {
    this.queue.removeConsumer(this.consumer);
    this.consumer.giveBack();
    this.onSettled();
  }

  private get held(): Delivery {
    if (!this.delivery) throw notHanded(this.queue);
    return this.delivery;
  }
}

const notHanded = ({ name }: Queue) =>
  new ConnectError(`queue '${name}' does not deliver its message`, 'Wait until its holder has settled it.');
