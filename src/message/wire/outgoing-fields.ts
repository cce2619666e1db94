import type { OutgoingContent } from '../message.js';
import type { MessageProperties } from '../properties.js';

/** Milliseconds of a received `expiration`; undefined without one, or for a text that no broker would take. */
export function ttlOf(expiration: string | undefined): number | undefined {
  return expiration !== undefined && /^\d{1,15}$/.test(expiration) ? Number(expiration) : undefined;
}

/** A time to live as the property `expiration`. */
export const expirationOf = (ttlMs: number | undefined): string | undefined =>
  ttlMs === undefined ? undefined : String(ttlMs);

/** AMQP's properties as fields of an outgoing message. */
export function outgoingFields({
  priority,
  expiration,
  ...properties
}: MessageProperties): Pick<OutgoingContent, 'properties' | 'priority' | 'ttlMs'> {
  return { properties, priority, ttlMs: ttlOf(expiration) };
}
