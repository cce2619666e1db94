import { createHash } from 'node:crypto';
import { isBrokerHeader, isOwnHeader } from '../../message/headers.js';
import type { Headers, HeaderValue, MessageProperties } from '../../message/properties.js';

/** The parts of a message that are the same on every read. */
export interface Identity {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: MessageProperties & { readonly headers: Headers };
  readonly body: Buffer;
}

const ANONYMOUS = 'anon-';

/**
 * Id of a letter: the messageId, or a digest of 80 bits, which is enough for a million letters to differ.
 * Identical messages share it, and count as one.
 */
export function letterId({ exchange, routingKey, properties, body }: Identity): string {
  const { messageId, headers, type, appId, correlationId, timestamp, replyTo } = properties;
  if (messageId) return messageId;
  const theirs = Object.entries(headers).filter(([name]) => !isOwnHeader(name) && !isBrokerHeader(name));
  const told = [exchange, routingKey, type, appId, correlationId, timestamp, replyTo, sorted(theirs)];
  const digest = createHash('sha256').update(JSON.stringify(told)).update('\n').update(body).digest('hex');
  return `${ANONYMOUS}${digest.slice(0, 20)}`;
}

function sorted(entries: [string, HeaderValue][]): [string, HeaderValue][] {
  return entries.sort(([left], [right]) => (left < right ? -1 : 1));
}

/** Result of looking up an id or a prefix. */
export type Resolved = { readonly id: string } | { readonly candidates: readonly string[] };

/** The one known id that begins with `given`; an exact match wins over longer ids. */
export function resolveId(given: string, known: ReadonlySet<string>): Resolved {
  if (known.has(given)) return { id: given };
  const candidates = new Set<string>();
  for (const id of known) if (id.startsWith(given)) candidates.add(id);
  const [first] = candidates;
  return candidates.size === 1 && first !== undefined ? { id: first } : { candidates: [...candidates] };
}
