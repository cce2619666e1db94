import { createHash } from 'node:crypto';
import { isBrokerHeader, isOwnHeader } from '../message/headers.js';
import type { Headers, HeaderValue, MessageProperties } from '../message/message.js';

/** What makes up a message, as far as it stays the same however often it is looked at. */
export interface Identity {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: MessageProperties & { readonly headers: Headers };
  readonly body: Buffer;
}

const ANONYMOUS = 'anon-';

/** The messageId, or a digest: 80 bits, so that two of a million differ. Equal messages share it, and are one. */
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

/** What a name that somebody typed stands for. */
export type Resolved = { readonly id: string } | { readonly candidates: readonly string[] };

/** The one known id that begins with `given`; a whole id wins over longer ones that begin with it. */
export function resolveId(given: string, known: ReadonlySet<string>): Resolved {
  if (known.has(given)) return { id: given };
  const candidates = new Set<string>();
  for (const id of known) if (id.startsWith(given)) candidates.add(id);
  const [first] = candidates;
  return candidates.size === 1 && first !== undefined ? { id: first } : { candidates: [...candidates] };
}
