import type { Headers, HeaderValue } from '../../message/properties.js';
import type { StoredMessage } from './stored-message.js';

/** RabbitMQ's names. */
export type DeathReason = 'expired' | 'maxlen' | 'delivery_limit' | 'rejected';

export interface Death {
  readonly queue: string;
  readonly reason: DeathReason;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

type DeathEntry = { readonly [name: string]: HeaderValue };

/**
 * The message as it leaves the queue in which it died: with an entry in `x-death` (newest first, one entry for
 * each queue and reason), and without its expiration, which would end it again in the next queue.
 *
 * @param exchange the queue's dead-letter exchange
 * @param routingKey the queue's dead-letter routing key; without one the message keeps its own
 */
export function deadLetter(
  message: StoredMessage,
  death: Death,
  exchange: string,
  routingKey = message.routingKey,
): StoredMessage {
  const { expiration: _, ...properties } = message.properties;
  const headers: Headers = Object.assign(Object.create(null), properties.headers);
  headers['x-death'] = recordDeath(message, death);
  if (headers['x-first-death-queue'] === undefined) {
    headers['x-first-death-exchange'] = message.exchange;
    headers['x-first-death-queue'] = death.queue;
    headers['x-first-death-reason'] = death.reason;
  }
  return { exchange, routingKey, body: message.body, properties: { ...properties, headers } };
}

function recordDeath({ exchange, routingKey, properties }: StoredMessage, death: Death): DeathEntry[] {
  const earlier = deathsOf(properties.headers);
  const known = earlier.find(({ queue, reason }) => queue === death.queue && reason === death.reason);
  if (known) {
    const again = { ...known, count: Number(known.count) + 1 };
    return [again, ...earlier.filter((entry) => entry !== known)];
  }
  const entry: DeathEntry = {
    count: 1,
    reason: death.reason,
    queue: death.queue,
    // The protocol's timestamps are in seconds.
    time: new Date(Math.floor(death.at / 1000) * 1000),
    exchange,
    'routing-keys': [routingKey],
    ...(properties.expiration !== undefined && { 'original-expiration': properties.expiration }),
  };
  return [entry, ...earlier];
}

/** Publishers may send `x-death` themselves, and 3.10 believes them. */
function deathsOf(headers: Headers): DeathEntry[] {
  const deaths = headers['x-death'];
  if (!Array.isArray(deaths)) return [];
  return deaths.filter((entry) => typeof entry === 'object' && entry !== null) as DeathEntry[];
}

/**
 * True if a dead letter has already died in `queue` and nobody has rejected it since: RabbitMQ then doesn't
 * route it there, to avoid a cycle. An old `x-death` that is published again makes a second trip look like one.
 */
export function isCycle(headers: Headers, queue: string): boolean {
  const deaths = deathsOf(headers);
  const last = deaths.findIndex((entry) => entry.queue === queue);
  return last >= 0 && deaths.slice(0, last + 1).every((entry) => entry.reason !== 'rejected');
}
