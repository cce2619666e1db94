import { copyHeaders } from '../../message/headers.js';
import type { OutgoingMessage } from '../../message/message.js';
import type { Headers, MessageProperties } from '../../message/properties.js';
import { expirationOf } from '../../message/wire/outgoing-fields.js';
import type { Address } from '../../topology/plan.js';

export type DeliveredProperties = MessageProperties & { readonly headers: Headers };

type Copied = { readonly [Name in keyof MessageProperties]: MessageProperties[Name] | undefined };

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

export function storedMessage(message: OutgoingMessage, { exchange, routingKey }: Address): StoredMessage {
  const { priority, ttlMs } = message;
  const properties = { ...message.properties, priority, expiration: expirationOf(ttlMs) };
  return { exchange, routingKey, body: Buffer.from(message.body), properties: copyProperties(properties) };
}

export function copyProperties(properties: Copied): DeliveredProperties {
  const copy: Record<string, unknown> = { headers: copyHeaders(properties.headers ?? {}) };
  for (const name in properties) {
    const value = properties[name as keyof MessageProperties];
    if (value !== undefined && name !== 'headers') copy[name] = value;
  }
  return copy as unknown as DeliveredProperties;
}
