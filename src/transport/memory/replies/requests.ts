import { UnroutableError } from '../../../errors.js';
import { addressOf } from '../../../topology/address.js';
import type { Names } from '../../../topology/names.js';
import type { OutgoingRequest, ReplySink, Requests, Writing } from '../../requests.js';
import type { Broker } from '../broker.js';
import { copyProperties, type StoredMessage, storedMessage } from '../stored-message.js';

/** Requests of one session, and the address for their replies, as of RabbitMQ's direct reply-to: no queue, and nobody acks. */
export class MemoryRequests implements Requests {
  readonly obstacle = undefined;
  private readonly address: string;

  constructor(
    private readonly broker: Broker,
    private readonly names: Names,
    private readonly sink: ReplySink,
  ) {
    this.address = broker.replies.open((reply) => this.heard(reply));
  }

  ask({ message, endsAt }: OutgoingRequest): Writing {
    const { broker, names } = this;
    const { properties } = message;
    const leftMs = Math.max(1, Math.ceil(endsAt - broker.clock.monotonic()));
    const address = addressOf(names, message);
    const own = { ...properties, replyTo: this.address };
    const stored = storedMessage({ ...message, properties: own, ttlMs: leftMs }, address);
    try {
      broker.publish(stored, true);
    } catch (error) {
      // A full queue that refuses says so to confirms alone, and a request has none: its time runs out.
      if (error instanceof UnroutableError || !broker.exchanges.has(address.exchange))
        broker.turns.next(() => this.sink.unroutable(properties.correlationId as string));
    }
    return 'written';
  }

  close(): void {
    this.broker.replies.close(this.address);
  }

  private heard({ body, properties }: StoredMessage): void {
    this.sink.replied({ body: Buffer.from(body), properties: copyProperties(properties) });
  }
}
