import { createHash } from 'node:crypto';
import type { Arguments } from '../../../message/exchange-option.js';
import type { StoredMessage } from '../stored-message.js';
import type { Bindings, BoundBy } from './bindings.js';

interface Place<Bound> {
  readonly hash: number;
  readonly destination: Bound;
}

/** Places on the ring for each unit of a weight: enough for shares that are near the weights. */
const PLACES = 100;

/**
 * An exchange of RabbitMQ's plugin for consistent hashing: one queue for each message, always the same for the same key, by shares that the
 * bindings' keys are the weights of. Which queue that is differs from the plugin, which promises none.
 */
export class HashBindings<Bound> implements Bindings<Bound> {
  private readonly ring: Place<Bound>[] = [];
  /** One binding of a queue counts, as with the plugin. */
  private readonly bound = new Set<Bound>();

  constructor(private readonly its: Arguments = {}) {}

  add({ destination: name, pattern }: BoundBy, destination: Bound): void {
    if (this.bound.has(destination)) return;
    this.bound.add(destination);
    for (let place = 0; place < PLACES * Number(pattern); place += 1)
      this.ring.push({ hash: hashOf(`${name}/${place}`), destination });
    this.ring.sort((left, right) => left.hash - right.hash);
  }

  match(message: StoredMessage): ReadonlySet<Bound> {
    const hash = hashOf(this.keyOf(message));
    const place = this.ring.find((each) => each.hash >= hash) ?? this.ring[0];
    return new Set(place ? [place.destination] : []);
  }

  private keyOf({ routingKey, properties }: StoredMessage): string {
    const { 'hash-header': header, 'hash-property': property } = this.its;
    if (header !== undefined) return String(properties.headers[String(header)] ?? '');
    switch (property) {
      case 'message_id':
        return properties.messageId ?? '';
      case 'correlation_id':
        return properties.correlationId ?? '';
      case 'timestamp':
        return String(properties.timestamp ?? '');
      default:
        return routingKey;
    }
  }
}

const hashOf = (text: string): number => createHash('sha1').update(text).digest().readUInt32BE();
