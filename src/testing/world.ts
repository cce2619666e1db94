import type { Encryption, Opened } from '../encryption/encryption.js';
import { boundTo, keyIdIn, ownerOf } from '../encryption/envelope.js';
import type { BusEvents } from '../events.js';
import { HEADER } from '../message/headers.js';
import type { Headers, MessageProperties } from '../message/properties.js';
import { MessageView } from '../message/received-message.js';
import { batchIn } from '../message/wire/batch-header.js';
import { chainIn } from '../message/wire/chain-header.js';
import type { Serializer } from '../serialization/serializer.js';
import type { Stores } from '../stores/stores.js';
import type { Names } from '../topology/names.js';
import type { Origin } from '../topology/origin.js';
import { Broker } from '../transport/memory/broker.js';
import type { StoredMessage } from '../transport/memory/stored-message.js';
import { isThenable } from '../util/after.js';
import { type KitDelivery, originOf } from './delivery.js';
import type { Faults } from './exploring/faults.js';
import type { Flow } from './flow.js';
import type { Journal } from './journal.js';
import type { Lineage } from './lineage.js';
import type { ManualClock } from './manual-clock.js';

/** Parts that are shared within one kit. */
export interface World {
  readonly clock: ManualClock;
  readonly broker: WatchedBroker;
  readonly names: Names;
  readonly serializer: Serializer;
  /** The stores' content outlives a process. */
  readonly stores: Stores;
  readonly encryption: Encryption | undefined;
  readonly journal: Journal;
  readonly flow: Flow;
  readonly lineage: Lineage;
  readonly faults: readonly Faults[];
  /** Deliveries that were acked and left no copy, in order. */
  readonly handled: KitDelivery[];
  /** Messages that the test has delivered again. */
  readonly again: WeakSet<StoredMessage>;
}

/** Payload of a message, decrypted; the body as text if it can't be read. */
export function payloadOf(
  { serializer, encryption }: Pick<World, 'serializer' | 'encryption'>,
  message: Wire,
): unknown {
  const { body, properties } = message;
  const { headers = {}, contentType, contentEncoding } = properties;
  if (headers[HEADER.encrypted] !== undefined) {
    const plain = openedNow(message, headers, encryption);
    if (!plain) return `(encrypted with key '${keyIdIn(headers[HEADER.encrypted])}')`;
    return payloadOf({ serializer, encryption }, { ...message, body: plain.body, properties: plain });
  }
  try {
    const delivery = { properties: { ...properties, headers }, queue: '' };
    const source = { delivery, messageId: properties.messageId, ...originOf(message) };
    const payload = serializer.deserialize(body, new MessageView(source, contentType, contentEncoding));
    if (!isThenable(payload)) return payload;
    // The journal is written synchronously: a promise is not awaited.
    Promise.resolve(payload).catch(() => {});
    return body.toString();
  } catch {
    return body.toString();
  }
}

/** A message on its way, or delivered. */
type Wire = Origin & { readonly body: Buffer; readonly properties: MessageProperties };

/** Undefined if it can't be decrypted, or if the key is a promise: the journal is written synchronously. */
function openedNow(message: Wire, headers: Headers, encryption: Encryption | undefined): Opened | undefined {
  try {
    const owner = ownerOf(message.properties.messageId, chainIn(headers), batchIn(headers));
    const bound = boundTo(originOf(message).routingKey, owner);
    const opened = encryption?.open(message.body, headers[HEADER.encrypted], bound);
    if (!(opened instanceof Promise)) return opened;
    opened.catch(() => {});
  } catch {
    // The handler will get the same error.
  }
  return undefined;
}

/** Puts an acked message behind those that wait in its queue, marked as delivered before. */
export function comeAgain({ again, broker }: World, { stored, queue }: KitDelivery): void {
  again.add(stored);
  broker.queueNamed(queue)?.put(stored);
}

type Reason = BusEvents['message.deadLettered']['reason'];

/** The memory broker, with a report of what it dead-letters itself. */
export class WatchedBroker extends Broker {
  onDeadLetter: (letter: StoredMessage, reason: Reason) => void = () => {};

  override forward(letter: StoredMessage, mustArrive: boolean): boolean {
    const isForwarded = super.forward(letter, mustArrive);
    if (isForwarded) this.report(letter);
    return isForwarded;
  }

  private report(letter: StoredMessage): void {
    // Newest first; its queue is the one in which the message died.
    const deaths = letter.properties.headers['x-death'] as readonly { queue: string; reason: string }[];
    const death = deaths[0];
    if (death?.queue !== letter.routingKey) return;
    this.onDeadLetter(letter, death.reason === 'delivery_limit' ? 'delivery-limit' : 'expired');
  }
}

/** Journal entry of a message that the broker itself has given up. */
export function deadLetterOfBroker(world: World, letter: StoredMessage, reason: Reason) {
  return {
    kind: 'dead-lettered' as const,
    handler: undefined,
    queue: letter.routingKey,
    routingKey: originOf({ ...letter, routingKey: publishedKey(letter) }).routingKey,
    payload: payloadOf(world, { ...letter, routingKey: publishedKey(letter) }),
    messageId: letter.properties.messageId,
    attempt: Number(letter.properties.headers['hopline-attempt'] ?? 1),
    reason,
    error: undefined,
  };
}

/** Routing key under which the message arrived in the queue in which it died. */
function publishedKey({ properties, routingKey }: StoredMessage): string {
  const [death] = properties.headers['x-death'] as unknown as readonly {
    'routing-keys': readonly string[];
  }[];
  return death?.['routing-keys'][0] ?? routingKey;
}
