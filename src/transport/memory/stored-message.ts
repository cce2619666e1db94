import type { Headers, HeaderValue, MessageProperties, OutgoingMessage } from '../../message/message.js';

export type DeliveredProperties = MessageProperties & { readonly headers: Headers };

/**
 * A message as the broker keeps it: a copy that nobody outside ever sees, so that queues may share it. Deliveries get
 * copies again; a handler that mutates its payload or headers changes nothing for others or for the next attempt.
 */
export interface StoredMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  readonly properties: DeliveredProperties;
}

export function storedMessage(message: OutgoingMessage): StoredMessage {
  return {
    exchange: message.exchange,
    routingKey: message.routingKey,
    body: Buffer.from(message.body),
    properties: copyProperties(message.properties),
  };
}

export function copyProperties(properties: MessageProperties): DeliveredProperties {
  const copy: Record<string, unknown> = { headers: copyTable(properties.headers ?? {}) };
  for (const name in properties) {
    const value = properties[name as keyof MessageProperties];
    if (value !== undefined && name !== 'headers') copy[name] = value;
  }
  return copy as unknown as DeliveredProperties;
}

/** On the wire a table has no prototype, and `undefined` is an absent field. */
function copyTable(table: Readonly<Record<string, HeaderValue | undefined>>): Headers {
  const copy: Headers = Object.create(null);
  for (const name of Object.keys(table)) {
    const value = table[name];
    if (value !== undefined) copy[name] = copyValue(value);
  }
  return copy;
}

function copyValue(value: HeaderValue): HeaderValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (value instanceof Date) return new Date(value);
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : copyValue(item)));
  return copyTable(value as { readonly [name: string]: HeaderValue });
}
