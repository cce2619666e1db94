import { copyHeaders } from '../../message/headers.js';
import type { OutgoingMessage } from '../../message/message.js';
import type { Headers, MessageProperties } from '../../message/properties.js';

export type DeliveredProperties = MessageProperties & { readonly headers: Headers };

/**
 * A message as the broker keeps it: a private copy, which queues may share. Deliveries get copies again: a
 * handler that changes its payload or headers affects neither others nor the next attempt.
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
  const copy: Record<string, unknown> = { headers: copyHeaders(properties.headers ?? {}) };
  for (const name in properties) {
    const value = properties[name as keyof MessageProperties];
    if (value !== undefined && name !== 'headers') copy[name] = value;
  }
  return copy as unknown as DeliveredProperties;
}
